#include "report/text.hpp"

#include <algorithm>

#include "core/names.hpp"
#include "report/format.hpp"

namespace attnspan {
namespace {

using Line = std::vector<std::string>;

std::string figure(const TableRow& row, double multiple) {
  if (row.seeds.done == 0) return outcome_text(row.seeds);
  const Accuracy* accuracy = find_accuracy(row, multiple);
  if (accuracy == nullptr) return "-";
  const double mean = accuracy->exact_match.mean;
  return percent(mean) + " +-" +
         percent(std::max(accuracy->ci95.high - mean, mean - accuracy->ci95.low));
}

/// The first column to the left, figures to the right.
std::string align(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const Line& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string blanks(widths[i] - line[i].size(), ' ');
      text += i == 0 ? "  " + line[i] + blanks : "  " + blanks + line[i];
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string plain_table(const std::vector<TableRow>& rows) {
  std::string text;
  for (const Block& block : blocks(rows)) {
    const TableRow& first = *block.rows.front();
    if (!text.empty()) text += '\n';
    text += block_title(first) + " (chance " + chance_text(first.chance) + ")\n";
    Line head{"variant", "rate", "seeds", "span"};
    for (const double multiple : block.multiples) head.push_back(multiple_text(multiple));
    std::vector<Line> lines{head};
    for (const TableRow* row : block.rows) {
      lines.push_back({variant_name(*row), shortest(row->selected_learning_rate),
                       seeds_text(row->seeds), span_text(row->span)});
      for (const double multiple : block.multiples) lines.back().push_back(figure(*row, multiple));
    }
    text += align(lines);
  }
  if (!text.empty())
    text +=
        "\nExact match in percent, mean over seeds, +- the wider side of its 95% interval; span: "
        "largest multiple with at least 90% up to there.\n";
  return text;
}

}  // namespace attnspan
