#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/table.hpp"

namespace attnspan {

/// What a reader must know of a row that has its figures, each a sentence without its stop.
std::vector<std::string> notes(const TableRow& row, std::span<const CellRow> cells);

}  // namespace attnspan
