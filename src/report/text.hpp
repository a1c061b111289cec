#pragma once

#include <string>
#include <vector>

#include "report/table.hpp"

namespace attnspan {

/// The table for a terminal: a block for each task and training length, a line for each variant
/// with its learning rate, seeds, span and exact match in percent by multiple, in aligned columns.
/// After each figure stands the wider side of its 95% interval. Ends with a line feed; empty when
/// there is no row.
std::string plain_table(const std::vector<TableRow>& rows);

}  // namespace attnspan
