#include "report/figure.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "report/diagnosis.hpp"
#include "report/layout.hpp"
#include "report/learning.hpp"

namespace attnspan {
namespace {

constexpr std::array<std::string_view, 8> names{"accuracy", "difference", "training", "cost",
                                                "depth",    "position",   "entropy",  "support"};

const char* const multiple_label = "multiple of the training length";

/// One look for each variant, in order of first appearance.
class Looks {
 public:
  explicit Looks(const Comparison& comparison) {
    for (const TableRow& row : comparison.rows)
      looks_.try_emplace(variant_name(row), looks_.size());
  }
  std::size_t of(const TableRow& row) const { return looks_.at(variant_name(row)); }

 private:
  std::map<std::string, std::size_t> looks_;
};

double percent(double value, const Metric& metric) { return metric.is_share ? 100 * value : value; }

std::vector<const CellRow*> cells_of(const TableRow& row, const Collection& collection) {
  std::vector<const CellRow*> cells;
  for (const std::size_t index : row.cells) cells.push_back(&collection.cells[index]);
  return cells;
}

Panel accuracy_panel(const Block& block, const Looks& looks) {
  const TableRow& first = *block.rows.front();
  Panel panel{block_title(first),
              multiple_label,
              metric_title(*first.metric),
              true,
              true,
              block.multiples,
              {},
              0,
              first.metric->is_share ? 100.0 : 0.0,
              {},
              {}};
  for (const TableRow* row : block.rows) {
    const Metric& metric = *row->metric;
    Series series{variant_name(*row), looks.of(*row), {}, {}};
    std::map<int, std::vector<FigurePoint>> seeds;
    for (const Accuracy& accuracy : row->accuracy) {
      series.points.push_back({accuracy.multiple, percent(accuracy.value.mean, metric),
                               percent(accuracy.ci95.low, metric),
                               percent(accuracy.ci95.high, metric)});
      for (const Accuracy::Seed& seed : accuracy.seeds) {
        const double value = percent(seed.value, metric);
        seeds[seed.seed].push_back({accuracy.multiple, value, value, value});
      }
    }
    if (seeds.size() > 1)
      for (auto& [seed, points] : seeds) series.seeds.push_back(std::move(points));
    panel.series.push_back(std::move(series));
  }
  const Metric& metric = *first.metric;
  Rule chance{"chance", {}}, shortcut{"best shortcut", {}};
  for (const double multiple : block.multiples) {
    const double value = percent(chance_of(first), metric);
    chance.points.push_back({multiple, value, value, value});
    if (const auto found = find_shortcut(block, multiple)) {
      const double best = percent(found->value, metric);
      shortcut.points.push_back({multiple, best, best, best});
    }
  }
  // What guesses bytes is too far off to be drawn with what has learned some.
  if (metric.is_share) panel.rules.push_back(std::move(chance));
  if (&metric == first.headline && !shortcut.points.empty())
    panel.rules.push_back(std::move(shortcut));
  return panel;
}

Panel difference_panel(const Block& block, const Looks& looks, const std::string& baseline) {
  const TableRow& first = *block.rows.front();
  Panel panel{block_title(first),
              multiple_label,
              "Difference to " + baseline,
              true,
              true,
              block.multiples,
              {},
              0,
              0,
              {},
              {}};
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const Metric& metric = *block.rows[i]->metric;
    Series series{variant_name(*block.rows[i]), looks.of(*block.rows[i]), {}, {}};
    for (const MultipleDifference& difference : block.comparisons[i]->differences)
      series.points.push_back({difference.multiple, percent(difference.value, metric),
                               percent(difference.ci95.low, metric),
                               percent(difference.ci95.high, metric)});
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  Rule zero{"", {}};
  for (const double multiple : block.multiples) zero.points.push_back({multiple, 0, 0, 0});
  panel.rules.push_back(std::move(zero));
  return panel;
}

Panel training_panel(const Block& block, const Looks& looks, const Collection& collection) {
  Panel panel{block_title(*block.rows.front()),
              "training step",
              "Exact match in percent",
              false,
              false,
              {},
              {},
              0,
              100,
              {},
              {}};
  for (const TableRow* row : block.rows) {
    if (row->headline->is_likelihood) continue;  // which has no right samples
    Series series{variant_name(*row), looks.of(*row), {}, {}};
    const std::vector<const CellRow*> cells = cells_of(*row, collection);
    for (const MeanCurvePoint& point : mean_curve(cells))
      series.points.push_back({static_cast<double>(point.step), 100 * point.exact_match.mean,
                               100 * point.exact_match.min, 100 * point.exact_match.max});
    for (const CellRow* cell : cells) {
      std::vector<FigurePoint> points;
      for (const CurvePoint& point : cell->train.curve) {
        const double value = 100 * point.exact_match;
        points.push_back({static_cast<double>(point.step), value, value, value});
      }
      if (cells.size() > 1) series.seeds.push_back(std::move(points));
    }
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  return panel;
}

Panel cost_panel(const Block& block, const Looks& looks, const Collection& collection) {
  Panel panel{block_title(*block.rows.front()),
              "tokens to 95% exact match",
              "",
              false,
              true,
              {},
              {},
              0,
              0,
              {},
              {}};
  for (const TableRow* row : block.rows) {
    const std::vector<const CellRow*> cells = cells_of(*row, collection);
    std::vector<double> tokens;
    for (const LearningCost& cost : learning_costs(cells)) tokens.push_back(cost.tokens);
    panel.y_names.push_back(variant_name(*row) + " (" + std::to_string(tokens.size()) + " of " +
                            std::to_string(cells.size()) + ")");
    if (tokens.empty()) continue;
    const Spread all = spread(tokens);
    panel.series.push_back(
        {variant_name(*row),
         looks.of(*row),
         {{all.mean, -static_cast<double>(panel.y_names.size()), all.min, all.max}},
         {}});
  }
  return panel;
}

/// What the heads do against length, of cells with a diagnosis.
Panel diagnosis_panel(const Block& block, const Looks& looks, const Collection& collection,
                      const DiagnosisMeasure& measure) {
  Panel panel{block_title(*block.rows.front()),
              multiple_label,
              measure.title,
              true,
              true,
              block.multiples,
              {},
              0,
              measure.is_share ? 1.0 : 0.0,
              {},
              {}};
  for (const TableRow* row : block.rows) {
    Series series{variant_name(*row), looks.of(*row), {}, {}};
    for (const DiagnosisPoint& point : diagnosis_curve(cells_of(*row, collection), measure))
      series.points.push_back({point.multiple, point.value.mean, point.value.min, point.value.max});
    panel.series.push_back(std::move(series));
  }
  return panel;
}

/// Bits per byte at the longest multiple, by the bytes before. The first bytes of a window say
/// little of attention and much of the text, and would take most of the panel.
Panel position_panel(const Block& block, const Looks& looks) {
  Panel panel{block_title(*block.rows.front()) + ", tested at " +
                  multiple_text(block.multiples.empty() ? 1 : block.multiples.back()),
              "bytes before, at most",
              metric_title(bits_per_byte()),
              false,
              true,
              {},
              {},
              0,
              0,
              {},
              {}};
  for (const TableRow* row : block.rows) {
    Series series{variant_name(*row), looks.of(*row), {}, {}};
    if (!row->accuracy.empty()) {
      const std::vector<PositionSum>& positions = row->accuracy.back().counts.positions;
      for (std::size_t k = positions.size() > 8 ? 4 : 0; k < positions.size(); ++k) {
        if (positions[k].tokens == 0) continue;
        const double value = bits(positions[k]), before = static_cast<double>(std::int64_t{1} << k);
        series.points.push_back({before, value, value, value});
        if (panel.x_ticks.empty() || panel.x_ticks.back() < before) panel.x_ticks.push_back(before);
      }
    }
    panel.series.push_back(std::move(series));
  }
  return panel;
}

/// One row's profile, with a curve for each multiple.
Panel depth_panel(const TableRow& row) {
  Panel panel{variant_name(row) + ", " + block_title(row),
              "depth, percent of the sequence",
              "Exact match in percent",
              false,
              false,
              {},
              {},
              0,
              100,
              {},
              {}};
  for (const Accuracy& accuracy : row.accuracy) {
    Series series{multiple_text(accuracy.multiple), panel.series.size(), {}, {}};
    for (std::size_t tenth = 0; tenth < accuracy.counts.depth.size(); ++tenth) {
      const DepthCount& count = accuracy.counts.depth[tenth];
      if (count.samples == 0) continue;
      const Interval interval = wilson(count.exact, count.samples);
      series.points.push_back({10 * static_cast<double>(tenth) + 5,
                               100 * share(count.exact, count.samples), 100 * interval.low,
                               100 * interval.high});
    }
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  return panel;
}

}  // namespace

std::span<const std::string_view> figure_names() { return names; }

std::vector<Panel> figure_panels(std::string_view name, const Collection& collection,
                                 const Comparison& comparison) {
  if (std::find(names.begin(), names.end(), name) == names.end())
    unknown_name("figure", name, {names.begin(), names.end()});
  const Looks looks(comparison);
  std::vector<Panel> panels;
  for (const Block& block : blocks(comparison)) {
    if (name == "accuracy")
      panels.push_back(accuracy_panel(block, looks));
    else if (name == "difference")
      panels.push_back(difference_panel(block, looks, comparison.baseline));
    else if (name == "training")
      panels.push_back(training_panel(block, looks, collection));
    else if (name == "cost")
      panels.push_back(cost_panel(block, looks, collection));
    else if (name == "position")
      panels.push_back(position_panel(block, looks));
    else if (name == "entropy" || name == "support")
      panels.push_back(diagnosis_panel(block, looks, collection,
                                       diagnosis_measures()[name == "support" ? 1 : 0]));
    else
      for (const TableRow* row : block.rows) panels.push_back(depth_panel(*row));
  }
  std::erase_if(panels, [](const Panel& panel) {
    return std::all_of(panel.series.begin(), panel.series.end(),
                       [](const Series& series) { return series.points.empty(); });
  });
  if (panels.empty())
    throw InputError("the results have nothing to show in the figure '" + std::string(name) + "'.");
  return panels;
}

}  // namespace attnspan
