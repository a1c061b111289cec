#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/compare.hpp"

namespace attnspan {

struct FigurePoint {
  double x = 0, y = 0;
  double low = 0,
         high = 0;  ///< the interval or range of y, or of x where the series is one of dots
};

/// One curve of a panel.
struct Series {
  std::string name;
  std::size_t look = 0;  ///< which colour, dash and mark: the same for a variant in every panel
  std::vector<FigurePoint> points;
  std::vector<std::vector<FigurePoint>> seeds;  ///< each as a faint line
};

/// A grey line that is no variant's: chance, the best shortcut, zero.
struct Rule {
  std::string name;
  std::vector<FigurePoint> points;
};

struct Panel {
  std::string title, x_label, y_label;
  bool x_is_multiple = false;  ///< a logarithmic axis with ticks at these multiples of a length
  bool x_is_logarithmic = false;
  std::vector<double> x_ticks;       ///< of a logarithmic axis; empty where they follow from it
  std::vector<std::string> y_names;  ///< rows of dots, from the top; none where y is a number
  double y_low = 0, y_high = 0;      ///< equal where they follow from the points
  std::vector<Series> series;
  std::vector<Rule> rules;
};

/// The figures there are: "accuracy", "difference", "training", "cost", "depth",
/// and of results with a diagnosis "entropy" and "support".
std::span<const std::string_view> figure_names();

/// A figure as panels: one a task and training length (of depth: one a row). Shares are in percent.
/// Throws InputError on an unknown name, and where the results have nothing to show in it.
std::vector<Panel> figure_panels(std::string_view name, const Collection& collection,
                                 const Comparison& comparison);

}  // namespace attnspan
