#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/figure.hpp"

namespace attnspan {

/// How a figure is written down. `terminal` is gnuplot's, with {size}.
struct PlotFormat {
  std::string_view extension;
  std::string_view terminal;
  double units_per_cm = 1;  ///< of its size
};

/// By a file's extension: svg, pdf or png. Throws InputError on another.
const PlotFormat& find_plot_format(std::string_view path);

/// A gnuplot script that draws the panels to its output: up to three beside each other, a key
/// below; an encoding that all variants have stands in the titles if the key has no room for it.
/// Each is `width` x 0.72 `width` cm and as much higher as its title has more than two lines.
/// Colours are those that the colour-blind tell apart; dashes and marks tell the series apart in
/// grey. Names stand in the script as texts that gnuplot does not look into.
std::string gnuplot_script(std::vector<Panel> panels, const PlotFormat& format, double width,
                           const std::string& font);

}  // namespace attnspan
