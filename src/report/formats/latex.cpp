// LaTeX tables with booktabs, to be pasted into a paper: under each mean its interval, the best
// bold, a dagger where the verdict over all lengths is sure. What else a reader of the source wants
// to know stands in comments.
#include <algorithm>

#include "report/format.hpp"
#include "report/layout.hpp"
#include "report/selection.hpp"

namespace attnspan::formats {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\textbackslash{}";
    else if (c == '~')
      out += "\\textasciitilde{}";
    else if (c == '^')
      out += "\\textasciicircum{}";
    else if (c == '<')
      out += "\\textless{}";
    else if (c == '>')
      out += "\\textgreater{}";
    else if (c == '|')
      out += "\\textbar{}";
    else if (c == '"')
      out += "\\textquotedbl{}";
    else if (std::string_view("&%$#_{}").find(c) != std::string_view::npos)
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string comment(const std::string& sentence) { return "% " + sentence + ".\n"; }

std::string minus(const std::string& number) {
  return number.front() == '-' ? "$-$" + number.substr(1) : number;
}

std::string times_text(const std::string& multiple) {
  return multiple.ends_with('x') ? multiple.substr(0, multiple.size() - 1) + "$\\times$" : multiple;
}

std::string small(const std::string& text) {
  return text.empty() ? "" : "{\\scriptsize " + text + "}";
}

std::string range(double low, double high, const Metric& metric) {
  return small(minus(short_value_text(low, metric)) + "--" + minus(short_value_text(high, metric)));
}

std::string line(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& cell : cells) text += (&cell == cells.data() ? "" : " & ") + cell;
  return text + " \\\\\n";
}

std::string table(const std::string& caption, std::size_t columns, const std::string& lines) {
  return "\\begin{table}\n\\centering\n\\caption{" + caption + "}\n\\begin{tabular}{l" +
         std::string(columns - 1, 'r') + "}\n\\toprule\n" + lines +
         "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string dagger(Verdict verdict) {
  return verdict == Verdict::better  ? "$^{\\dagger}$"
         : verdict == Verdict::worse ? "$^{\\ddagger}$"
                                     : "";
}

/// Where a name is long, every row has its name on a line of its own: beside seven lengths it would
/// push the figures off the page.
bool names_stand_alone(const Block& block) {
  constexpr std::size_t long_name = 24;
  return std::any_of(block.rows.begin(), block.rows.end(),
                     [](const TableRow* row) { return variant_name(*row).size() > long_name; });
}

/// The lines of a row whose first cell is its name.
std::string named(const std::vector<std::string>& cells, bool name_stands_alone) {
  if (!name_stands_alone) return line(cells);
  std::vector<std::string> rest = cells;
  rest.front().clear();
  return "\\multicolumn{" + std::to_string(cells.size()) + "}{l}{" + cells.front() + "} \\\\\n" +
         line(rest);
}

std::string figures(const Block& block) {
  const bool stand_alone = names_stand_alone(block);
  std::vector<std::string> head{"", "span"};
  for (const double multiple : block.multiples) head.push_back(times_text(multiple_text(multiple)));
  std::string text = line(head) + "\\midrule\n";
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const TableRow& row = *block.rows[i];
    const Metric& metric = *row.metric;
    std::vector<std::string> means{
        escaped(variant_name(row)) + dagger(block.comparisons[i]->verdict),
        times_text(span_text(row.span.point))};
    std::vector<std::string> intervals{"\\quad " + small(escaped(seeds_text(row.seeds))),
                                       row.span.point
                                           ? small(times_text(span_text(row.span.sure)) + " to " +
                                                   times_text(span_text(row.span.possible)))
                                           : ""};
    for (const double multiple : block.multiples) {
      const Accuracy* accuracy = find_accuracy(row, multiple);
      if (accuracy == nullptr || accuracy->counts.samples == 0) {
        means.push_back(row.seeds.done == 0   ? outcome_text(row.seeds)
                        : accuracy == nullptr ? "--"
                                              : "given up");
        intervals.emplace_back();
        continue;
      }
      const std::string mean = value_text(accuracy->value.mean, metric);
      means.push_back(is_best(block, row, multiple) ? "\\textbf{" + mean + "}" : mean);
      intervals.push_back(range(accuracy->ci95.low, accuracy->ci95.high, metric));
    }
    text += named(means, stand_alone) + line(intervals);
    if (row.seeds.lost() == 0 || row.seeds.done == 0) continue;
    std::vector<std::string> with_lost{"\\quad " + small("with the lost at worst"),
                                       small(times_text(span_text(row.span.with_lost)))};
    for (const double multiple : block.multiples) {
      const Accuracy* accuracy = find_accuracy(row, multiple);
      with_lost.push_back(accuracy == nullptr ? ""
                                              : small(value_text(accuracy->with_lost, metric)));
    }
    text += line(with_lost);
  }
  std::string rest;
  for (const ShortcutLine& shortcut : shortcut_lines(block)) {
    std::vector<std::string> shortcuts{escaped(shortcut.title), ""};
    for (const ShortcutFigure& figure : shortcut.figures)
      shortcuts.push_back(figure.text == "-" ? "--" : figure.text);
    rest += line(shortcuts);
  }
  for (const QuantityLine& quantity : quantity_lines(block)) {
    std::vector<std::string> cells{escaped(quantity.name) + " in a sample", ""};
    cells.insert(cells.end(), quantity.figures.begin(), quantity.figures.end());
    rest += line(cells);
  }
  return rest.empty() ? text : text + "\\midrule\n" + rest;
}

std::string caption(const Comparison& comparison, const Block& block) {
  const TableRow& row = *block.rows.front();
  std::string text = escaped(metric_title(*row.metric)) + " on " + escaped(block_title(row)) +
                     ": means over seeds, below them 95\\% intervals; the best are bold. Chance: " +
                     escaped(chance_text(row)) +
                     ". Span: the longest tested multiple of the training length held up to, below "
                     "it the one that is sure and the one that is possible.";
  if (!comparison.baseline.empty())
    text += " $\\dagger$ better, $\\ddagger$ worse than " + escaped(comparison.baseline) +
            ": paired $t$ test over seeds on the mean over lengths, Holm's correction, $p < 0.05$.";
  return text;
}

/// Empty without differences.
std::string differences(const Comparison& comparison, const Block& block) {
  std::vector<std::string> head{""};
  for (const double multiple : block.multiples) head.push_back(times_text(multiple_text(multiple)));
  const bool stand_alone = names_stand_alone(block);
  std::string text;
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const RowComparison& one = *block.comparisons[i];
    if (one.differences.empty()) continue;
    const Metric& metric = *block.rows[i]->metric;
    std::vector<std::string> values{escaped(variant_name(*block.rows[i])) + dagger(one.verdict)};
    std::vector<std::string> intervals{""};
    for (const double multiple : block.multiples) {
      const MultipleDifference* found = find_difference(one, multiple);
      values.push_back(found ? minus(difference_text(found->value, metric)) : "--");
      intervals.push_back(found ? small(minus(short_value_text(found->ci95.low, metric)) + " to " +
                                        minus(short_value_text(found->ci95.high, metric)))
                                : "");
    }
    text += named(values, stand_alone) + line(intervals);
  }
  if (text.empty()) return "";
  return table(
      escaped(metric_title(*block.rows.front()->metric)) + " on " +
          escaped(block_title(*block.rows.front())) + ", minus that of " +
          escaped(comparison.baseline) +
          ": means over seeds, paired by seeds and test samples, below them 95\\% intervals.",
      head.size(), line(head) + "\\midrule\n" + text);
}

std::string render(const Comparison& comparison) {
  std::string text = "% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}\n% " +
                     std::string(figures_note()) + "\n";
  if (has_one_seed(comparison)) text += "% " + std::string(one_seed_note()) + "\n";
  text += "% Tuned: " + std::string(selection_rule()) + "\n";
  for (const Block& block : blocks(comparison)) {
    text += table(caption(comparison, block), block.multiples.size() + 2, figures(block));
    for (const TableRow* row : block.rows)
      if (const std::string selected = selected_text(*row); !selected.empty())
        text += comment(variant_name(*row) + ": " + selected);
    for (const std::string& note : note_lines(block)) text += comment(note);
    text += differences(comparison, block);
    for (const std::string& verdict : verdict_lines(block)) text += comment(verdict);
  }
  return text;
}

}  // namespace

FormatEntry latex() { return {"latex", "tex", "LaTeX tables, with booktabs", render}; }

}  // namespace attnspan::formats
