#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/table.hpp"

namespace attnspan {

/// A share as percent with one decimal: "98.4".
std::string percent(double share);

/// "16x", "1.5x".
std::string multiple_text(double multiple);

/// "256x"; "none" when exact match is below 0.9 from the start, "-" when nothing was tested.
std::string span_text(const Span& span);

/// A chance level: "3.1%", "below 0.1%" or "0%".
std::string chance_text(double chance);

/// "3", or, when not all seeds are done, "2 of 3 (1 diverged)".
std::string seeds_text(const SeedCounts& seeds);

/// What stands in place of figures when no seed is done: the commonest outcome.
std::string outcome_text(const SeedCounts& seeds);

/// "recall, trained at length 16".
std::string block_title(const TableRow& row);

/// Rows that are shown together: those of one task and training length.
struct Block {
  std::vector<const TableRow*> rows;
  std::vector<double> multiples;  ///< tested by any of the rows, increasing
};

/// Blocks in order of first appearance. Points into `rows`.
std::vector<Block> blocks(const std::vector<TableRow>& rows);

/// The figures of a row at a multiple, or null when it was not tested.
const Accuracy* find_accuracy(const TableRow& row, double multiple);

}  // namespace attnspan
