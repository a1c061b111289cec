#include "report/grid.hpp"

#include <algorithm>

namespace attnspan {
namespace {

/// "98.4 [95.1, 99.6] (98.0-100.0)".
std::string figure(const TableRow& row, double multiple) {
  if (row.seeds.done == 0) return outcome_text(row.seeds);
  const Accuracy* accuracy = find_accuracy(row, multiple);
  if (accuracy == nullptr) return "-";
  if (accuracy->counts.samples == 0) return "given up";
  const Metric& metric = *row.metric;
  std::string text = value_text(accuracy->value.mean, metric) + " [" +
                     value_text(accuracy->ci95.low, metric) + ", " +
                     value_text(accuracy->ci95.high, metric) + "]";
  if (accuracy->seeds.size() > 1)
    text += " (" + value_text(accuracy->value.min, metric) + "-" +
            value_text(accuracy->value.max, metric) + ")";
  return text;
}

std::string span_with_doubt(const Spans& span) {
  if (!span.point) return "-";
  return span_text(span.point) + " (" + span_text(span.sure) + " to " + span_text(span.possible) +
         ")";
}

/// Samples behind the figures of a column: one number, or the least and the most.
std::string samples_text(const Block& block, double multiple) {
  std::vector<std::int64_t> samples;
  for (const TableRow* row : block.rows)
    if (const Accuracy* accuracy = find_accuracy(*row, multiple))
      samples.push_back(accuracy->counts.samples);
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  return *least == *most ? std::to_string(*least)
                         : std::to_string(*least) + "-" + std::to_string(*most);
}

}  // namespace

Grid figure_grid(const Block& block) {
  Grid grid{{"variant", "tuned", "seeds", "span"}};
  for (const double multiple : block.multiples) grid.front().push_back(multiple_text(multiple));
  for (const TableRow* row : block.rows) {
    grid.push_back({variant_name(*row), selected_text(*row), seeds_text(row->seeds),
                    span_with_doubt(row->span)});
    for (const double multiple : block.multiples) grid.back().push_back(figure(*row, multiple));
    if (row->seeds.lost() == 0 || row->seeds.done == 0) continue;
    grid.push_back({"with the lost at worst", "", "", span_text(row->span.with_lost)});
    for (const double multiple : block.multiples) {
      const Accuracy* accuracy = find_accuracy(*row, multiple);
      grid.back().push_back(accuracy == nullptr ? "-"
                                                : value_text(accuracy->with_lost, *row->metric));
    }
  }
  for (const ShortcutLine& shortcut : shortcut_lines(block)) {
    grid.push_back({shortcut.title, "", "", ""});
    for (const ShortcutFigure& figure : shortcut.figures)
      grid.back().push_back(shortcut.is_of_one || figure.name.empty()
                                ? figure.text
                                : figure.text + " (" + figure.name + ")");
  }
  for (const WholeWindowLine& whole : whole_window_lines(block)) {
    grid.push_back({whole.title, "", "", ""});
    grid.back().insert(grid.back().end(), whole.figures.begin(), whole.figures.end());
  }
  for (const QuantityLine& quantity : quantity_lines(block)) {
    grid.push_back({quantity.name + " in a sample", "", "", ""});
    grid.back().insert(grid.back().end(), quantity.figures.begin(), quantity.figures.end());
  }
  grid.push_back({"samples", "", "", ""});
  for (const double multiple : block.multiples)
    grid.back().push_back(samples_text(block, multiple));
  return grid;
}

Grid difference_grid(const Block& block) {
  Grid grid{{"variant"}};
  for (const double multiple : block.multiples) grid.front().push_back(multiple_text(multiple));
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    if (block.comparisons[i]->differences.empty()) continue;
    const Metric& metric = *block.rows[i]->metric;
    grid.push_back({variant_name(*block.rows[i])});
    for (const double multiple : block.multiples) {
      const MultipleDifference* found = find_difference(*block.comparisons[i], multiple);
      grid.back().push_back(found == nullptr ? "-"
                                             : difference_text(found->value, metric) + " [" +
                                                   difference_text(found->ci95.low, metric) + ", " +
                                                   difference_text(found->ci95.high, metric) + "]");
    }
  }
  return grid;
}

std::string figure_caption(const Block& block) {
  const TableRow& row = *block.rows.front();
  return metric_title(*row.metric) +
         ": mean over seeds [95% interval] (lowest-highest seed). Chance: " +
         (row.metric->is_share
              ? chance_text(row.chance) + ", one token " + chance_text(row.token_chance)
              : chance_text(row)) +
         ".";
}

std::string difference_caption(std::string_view baseline, const Block& block) {
  return metric_title(*block.rows.front()->metric) + " minus that of " + std::string(baseline) +
         ", mean over seeds [95% interval], paired by seeds and test samples.";
}

}  // namespace attnspan
