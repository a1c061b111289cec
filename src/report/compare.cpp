#include "report/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "core/names.hpp"
#include "report/format.hpp"

namespace attnspan {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 4> formats{{
    {"md", Format::markdown},
    {"csv", Format::csv},
    {"json", Format::json},
    {"latex", Format::latex},
}};

bool is_baseline(const TableRow& row, std::string_view baseline) {
  return row.attention == baseline || variant_name(row) == baseline;
}

void check_baseline(const std::vector<TableRow>& rows, std::string_view baseline) {
  std::vector<std::string> allowed;
  for (const TableRow& row : rows) {
    if (is_baseline(row, baseline)) return;
    for (const std::string& name : {row.attention, variant_name(row)})
      if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) allowed.push_back(name);
  }
  unknown_name("baseline", baseline, allowed);
}

/// Finds the row that another is compared with. A variant as baseline is kept under no position: it
/// is met from all of them.
class BaselineIndex {
 public:
  BaselineIndex(const std::vector<TableRow>& rows, std::string_view baseline) {
    for (const TableRow& row : rows) {
      if (row.attention == baseline) by_block_[{row.task, row.train_length, row.position}] = &row;
      if (variant_name(row) == baseline) by_block_[{row.task, row.train_length, ""}] = &row;
    }
  }

  /// Null when there is none, or when it is `row` itself.
  const TableRow* find(const TableRow& row) const {
    for (const std::string& position : {row.position, std::string()}) {
      const auto found = by_block_.find({row.task, row.train_length, position});
      if (found != by_block_.end()) return found->second == &row ? nullptr : found->second;
    }
    return nullptr;
  }

 private:
  std::map<std::tuple<std::string, std::int64_t, std::string>, const TableRow*> by_block_;
};

std::optional<Difference> difference(const Accuracy& accuracy, const TableRow* baseline) {
  const Accuracy* other =
      baseline == nullptr ? nullptr : find_accuracy(*baseline, accuracy.multiple);
  if (other == nullptr) return std::nullopt;
  const Counts& here = accuracy.counts;
  const Counts& there = other->counts;
  return Difference{share(here.exact, here.samples) - share(there.exact, there.samples),
                    newcombe(here.exact, here.samples, there.exact, there.samples)};
}

bool excludes_zero(const Interval& interval) { return interval.low > 0 || interval.high < 0; }

std::string with_sign(double share) {
  const std::string text = percent(share);
  return share > 0 ? "+" + text : text;
}

/// "98.4 [95.1-99.6]", and the lowest and highest seed where there are several.
std::string figure(const TableRow& row, double multiple) {
  if (row.seeds.done == 0) return outcome_text(row.seeds);
  const Accuracy* accuracy = find_accuracy(row, multiple);
  if (accuracy == nullptr) return "-";
  std::string text = percent(accuracy->exact_match.mean) + " [" + percent(accuracy->ci95.low) +
                     "-" + percent(accuracy->ci95.high) + "]";
  if (accuracy->seeds.size() > 1)
    text +=
        " (" + percent(accuracy->exact_match.min) + "-" + percent(accuracy->exact_match.max) + ")";
  return text;
}

std::string difference_text(const std::optional<Difference>& difference) {
  if (!difference) return "-";
  return with_sign(difference->value) + " [" + with_sign(difference->ci95.low) + ", " +
         with_sign(difference->ci95.high) + "]" + (excludes_zero(difference->ci95) ? " *" : "");
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

/// A table of texts, the first line its head; what Markdown and LaTeX lay out.
using Grid = std::vector<std::vector<std::string>>;

Grid figures(const Block& block) {
  Grid grid{{"variant", "learning rate", "seeds", "span"}};
  for (const double multiple : block.multiples) grid.front().push_back(multiple_text(multiple));
  for (const TableRow* row : block.rows) {
    grid.push_back({variant_name(*row), shortest(row->selected_learning_rate),
                    seeds_text(row->seeds), span_text(row->span)});
    for (const double multiple : block.multiples) grid.back().push_back(figure(*row, multiple));
  }
  grid.push_back({"samples", "", "", ""});
  for (const double multiple : block.multiples)
    grid.back().push_back(samples_text(block, multiple));
  return grid;
}

Grid differences(const Comparison& comparison, const Block& block) {
  Grid grid{{"variant"}};
  for (const double multiple : block.multiples) grid.front().push_back(multiple_text(multiple));
  for (const TableRow* row : block.rows) {
    const auto& of_row =
        comparison.differences[static_cast<std::size_t>(row - comparison.rows.data())];
    if (std::none_of(of_row.begin(), of_row.end(), [](const auto& d) { return d.has_value(); }))
      continue;
    grid.push_back({variant_name(*row)});
    for (const double multiple : block.multiples) {
      const Accuracy* accuracy = find_accuracy(*row, multiple);
      grid.back().push_back(
          accuracy == nullptr
              ? "-"
              : difference_text(of_row[static_cast<std::size_t>(accuracy - row->accuracy.data())]));
    }
  }
  return grid;
}

std::string block_caption(const TableRow& row) {
  return "Exact match in percent, mean over seeds [95% interval] (lowest-highest seed). Chance: " +
         chance_text(row.chance) + ", one token " + chance_text(row.token_chance) + ".";
}

std::string difference_caption(std::string_view baseline) {
  return "Exact match minus that of " + std::string(baseline) +
         ", percentage points [95% interval] on the same test samples; * where the interval "
         "excludes 0.";
}

constexpr std::string_view span_note =
    "Span: the largest tested multiple of the training length with exact match of at least 90%, "
    "there and at every smaller tested multiple. Intervals (Wilson; differences: Newcombe) cover "
    "the draw of test samples, not that of seeds.";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string markdown_table(const Grid& grid) {
  std::string text;
  for (std::size_t line = 0; line < grid.size(); ++line) {
    text += '|';
    for (const std::string& cell : grid[line]) text += ' ' + replace_all(cell, "|", "\\|") + " |";
    text += '\n';
    if (line > 0) continue;
    text += "|---|";
    for (std::size_t column = 1; column < grid[line].size(); ++column) text += "---:|";
    text += '\n';
  }
  return text;
}

std::string markdown(const Comparison& comparison) {
  std::string text;
  for (const Block& block : blocks(comparison.rows)) {
    const TableRow& first = *block.rows.front();
    text += "### " + block_title(first) + "\n\n" + block_caption(first) + "\n\n" +
            markdown_table(figures(block)) + "\n";
    if (comparison.baseline.empty()) continue;
    if (const Grid grid = differences(comparison, block); grid.size() > 1)
      text += difference_caption(comparison.baseline) + "\n\n" + markdown_table(grid) + "\n";
  }
  return text + std::string(span_note) + "\n\nLearning rate: " + std::string(selection_rule()) +
         "\n";
}

std::string latex_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\textbackslash{}";
    else if (c == '~' || c == '^')
      escaped += std::string("\\") + c + "{}";
    else if (std::string_view("&%$#_{}").find(c) != std::string_view::npos)
      escaped += std::string("\\") + c;
    else
      escaped += c;
  }
  return escaped;
}

std::string latex_table(const std::string& caption, const Grid& grid) {
  std::string text = "\\begin{table}\n\\caption{" + latex_escaped(caption) +
                     "}\n\\begin{tabular}{l" + std::string(grid.front().size() - 1, 'r') +
                     "}\n\\toprule\n";
  for (std::size_t line = 0; line < grid.size(); ++line) {
    for (std::size_t column = 0; column < grid[line].size(); ++column)
      text += (column > 0 ? " & " : "") + latex_escaped(grid[line][column]);
    text += " \\\\\n";
    if (line == 0) text += "\\midrule\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string latex(const Comparison& comparison) {
  std::string text = "% needs \\usepackage{booktabs}\n% " + std::string(span_note) +
                     "\n% Learning rate: " + std::string(selection_rule()) + "\n";
  for (const Block& block : blocks(comparison.rows)) {
    const TableRow& first = *block.rows.front();
    text += latex_table(block_title(first) + ". " + block_caption(first), figures(block));
    if (comparison.baseline.empty()) continue;
    if (const Grid grid = differences(comparison, block); grid.size() > 1)
      text +=
          latex_table(block_title(first) + ". " + difference_caption(comparison.baseline), grid);
  }
  return text;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    line += &cell == cells.data() ? "" : ",";
    line += cell.find_first_of(",\"\n") == std::string::npos
                ? cell
                : '"' + replace_all(cell, "\"", "\"\"") + '"';
  }
  return line + '\n';
}

std::string csv_number(double value) { return std::isfinite(value) ? shortest(value) : ""; }

std::string csv(const Comparison& comparison) {
  const bool has_baseline = !comparison.baseline.empty();
  std::vector<std::string> head{
      "task",     "train_length", "attention",     "position",    "learning_rate", "seeds_done",
      "diverged", "failed",       "skipped",       "span",        "chance",        "token_chance",
      "multiple", "length",       "samples",       "exact_match", "seed_min",      "seed_max",
      "ci95_low", "ci95_high",    "token_accuracy"};
  if (has_baseline)
    head.insert(head.end(),
                {"baseline", "difference", "difference_ci95_low", "difference_ci95_high"});
  std::string text = csv_line(head);
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const TableRow& row = comparison.rows[i];
    const std::vector<std::string> of_row{row.task,
                                          std::to_string(row.train_length),
                                          row.attention,
                                          row.position,
                                          shortest(row.selected_learning_rate),
                                          std::to_string(row.seeds.done),
                                          std::to_string(row.seeds.diverged),
                                          std::to_string(row.seeds.failed),
                                          std::to_string(row.seeds.skipped),
                                          row.span ? shortest(*row.span) : "",
                                          shortest(row.chance),
                                          shortest(row.token_chance)};
    for (std::size_t j = 0; j < row.accuracy.size(); ++j) {
      const Accuracy& accuracy = row.accuracy[j];
      std::vector<std::string> cells = of_row;
      cells.insert(cells.end(),
                   {shortest(accuracy.multiple), std::to_string(accuracy.length),
                    std::to_string(accuracy.counts.samples), shortest(accuracy.exact_match.mean),
                    shortest(accuracy.exact_match.min), shortest(accuracy.exact_match.max),
                    shortest(accuracy.ci95.low), shortest(accuracy.ci95.high),
                    csv_number(accuracy.token_accuracy)});
      if (const auto& difference = comparison.differences[i][j])
        cells.insert(cells.end(),
                     {comparison.baseline, shortest(difference->value),
                      shortest(difference->ci95.low), shortest(difference->ci95.high)});
      cells.resize(head.size());
      text += csv_line(cells);
    }
    // A variant of which nothing came out must not vanish.
    if (row.accuracy.empty()) {
      std::vector<std::string> cells = of_row;
      cells.resize(head.size());
      text += csv_line(cells);
    }
  }
  return text;
}

std::string json(const Comparison& comparison) {
  const Json baseline = comparison.baseline.empty() ? Json(nullptr) : Json(comparison.baseline);
  Json json = {
      {"baseline", baseline}, {"selection_rule", selection_rule()}, {"table", Json::array()}};
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    Json row = to_json(comparison.rows[i]);
    for (std::size_t j = 0; j < comparison.rows[i].accuracy.size(); ++j)
      if (const auto& difference = comparison.differences[i][j])
        row["accuracy"][j]["difference"] = {{"value", difference->value},
                                            {"ci95", to_json(difference->ci95)}};
    json["table"].push_back(std::move(row));
  }
  return to_text(json);
}

}  // namespace

Comparison compare(const std::vector<Result>& results, std::string_view baseline) {
  Comparison comparison{build_table(merge_cells(results)), std::string(baseline), {}};
  if (!baseline.empty()) check_baseline(comparison.rows, baseline);
  const BaselineIndex index(comparison.rows, baseline);
  for (const TableRow& row : comparison.rows) {
    const TableRow* other = index.find(row);
    comparison.differences.emplace_back();
    for (const Accuracy& accuracy : row.accuracy)
      comparison.differences.back().push_back(difference(accuracy, other));
  }
  return comparison;
}

Format parse_format(std::string_view name) {
  std::vector<std::string> allowed;
  for (const auto& [known, format] : formats) {
    if (known == name) return format;
    allowed.emplace_back(known);
  }
  unknown_name("format", name, allowed);
}

std::string render(const Comparison& comparison, Format format) {
  switch (format) {
    case Format::markdown:
      return markdown(comparison);
    case Format::csv:
      return csv(comparison);
    case Format::json:
      return json(comparison);
    case Format::latex:
      return latex(comparison);
  }
  throw std::logic_error("a format without a writer");
}

}  // namespace attnspan
