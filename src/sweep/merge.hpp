#pragma once

#include <vector>

#include "record/result.hpp"

namespace attnspan {

/// Joins the results of one sweep's shards into what a single run of it would have given (with the
/// context of the first). Throws InputError when they are of different sweeps (saying in what they
/// differ), when a cell has two outcomes, and when cells are missing (naming them).
Result merge(const std::vector<Result>& results);

}  // namespace attnspan
