#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/compare.hpp"

// What formats have in common: the words for figures, and which rows stand together.

namespace attnspan {

/// Columns that texts for a terminal keep to.
inline constexpr std::size_t terminal_width = 80;

/// Breaks a sentence into lines of a terminal, from `indentation` on; all but the first have two
/// columns more.
std::string wrapped(const std::string& sentence, std::size_t indentation);

/// A value of the metric: shares as percent ("98.4"), others with three decimals ("1.125").
std::string value_text(double value, const Metric& metric);
/// The same with few digits, for intervals: percent without decimals, others with two.
std::string short_value_text(double value, const Metric& metric);
/// "+12.5", "-0.031".
std::string difference_text(double value, const Metric& metric);

/// "16x", "1.5x".
std::string multiple_text(double multiple);

/// "256x"; "none" when it ends before the first multiple, "-" when nothing was tested.
std::string span_text(const Span& span);

/// A share that guessing gets right: "3.1%", "below 0.1%" or "0%".
std::string chance_text(double chance);

/// What guessing scores in the row's metric: such a share, or "8".
std::string chance_text(const TableRow& row);

/// "3 seeds", or, when not all seeds are done, "2 of 3 seeds (1 diverged)".
std::string seeds_text(const SeedCounts& seeds);

/// What stands in place of figures when no seed is done: the commonest outcome.
std::string outcome_text(const SeedCounts& seeds);

/// "learning rate 0.003, weight decay 0.1"; empty when nothing is tuned.
std::string selected_text(const TableRow& row);

/// "recall, trained at length 16".
std::string block_title(const TableRow& row);

/// "Exact match in percent" or "Bits per byte".
std::string metric_title(const Metric& metric);

/// Rows that are shown together: those of one task and training length.
struct Block {
  std::vector<const TableRow*> rows;
  std::vector<const RowComparison*> comparisons;  ///< one a row
  std::vector<double> multiples;                  ///< tested by any of the rows, increasing
};

/// Blocks in order of first appearance. Points into the comparison.
std::vector<Block> blocks(const Comparison& comparison);

/// The figures of a row at a multiple, or null when it was not tested.
const Accuracy* find_accuracy(const TableRow& row, double multiple);
const MultipleDifference* find_difference(const RowComparison& comparison, double multiple);

/// Whether no row of the block is better at this multiple, to the digits shown.
bool is_best(const Block& block, const TableRow& row, double multiple);

/// What guessing scores in the row's metric.
double chance_of(const TableRow& row);

/// The best shortcut of the block at a multiple; nothing where the task has none.
std::optional<ShortcutScore> find_shortcut(const Block& block, double multiple);

/// A figure of a shortcut as text, and the shortcut's name.
struct ShortcutFigure {
  std::string text = "-";
  std::string name = {};
};

/// Figures of shortcuts, one a multiple of the block.
struct ShortcutLine {
  std::string title;
  bool is_of_one = false;  ///< of one shortcut, which the title names
  std::vector<ShortcutFigure> figures;
};

/// One line with the best shortcut at every multiple; of a task that is judged by likelihood one
/// for every shortcut. None where there are no shortcuts.
std::vector<ShortcutLine> shortcut_lines(const Block& block);

/// Bits per byte of whole windows, one a multiple of the block.
struct WholeWindowLine {
  std::string title;
  std::vector<std::string> figures;
};

/// A line for each row that has them; the headline is of the last bytes.
std::vector<WholeWindowLine> whole_window_lines(const Block& block);

/// What the samples of the block hold beside their length, a line each: its name, and a figure for
/// each multiple, "-" where it is not known.
struct QuantityLine {
  std::string name;  ///< "context tokens"
  std::vector<std::string> figures;
};
std::vector<QuantityLine> quantity_lines(const Block& block);

/// What was asked: "Which attention holds on longer inputs than it was trained on? 4 variants on 3
/// tasks, ...".
std::string question_text(const Comparison& comparison);

/// How far each row of the block holds for sure, in one sentence, the furthest first.
std::string headline(const Block& block);

/// The verdicts of the block in one sentence; empty without a baseline.
std::string verdict_summary(const Block& block);

/// How a row compares with its baseline, as one of the verdict_lines; empty where it has none.
std::string verdict_line(const TableRow& row, const RowComparison& comparison);

/// One sentence a row that has a baseline: which is better, and how sure that is, or why nothing
/// can be said.
std::vector<std::string> verdict_lines(const Block& block);

/// What a reader must know of the rows, each with the variant's name.
std::vector<std::string> note_lines(const Block& block);

/// What the columns mean, for under a table.
std::string_view figures_note();
/// The same for a table in which a row has one seed.
std::string_view one_seed_note();
/// Whether it is needed: a row of the comparison has one seed.
bool has_one_seed(const Comparison& comparison);

}  // namespace attnspan
