#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "record/json.hpp"
#include "record/row.hpp"

namespace attnspan {

/// Cells of one table row by seed: places in what the table is built from.
using Seeds = std::map<int, std::size_t>;

/// The same by the values of what is tuned.
using Candidates = std::map<std::vector<Json>, Seeds>;

/// The candidate that `selection_rule` tells to take. Precondition: there is one.
const Candidates::value_type& best_candidate(std::span<const CellRow> cells,
                                             const Candidates& candidates);

/// How the values of what is tuned are selected, as a sentence; the result carries it.
std::string_view selection_rule();

}  // namespace attnspan
