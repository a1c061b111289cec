#pragma once

#include <string>
#include <vector>

#include "task/task.hpp"

namespace attnspan {

/// Turns the symbols x of a sequence into as many symbols y.
using Transduce = std::vector<Token> (*)(std::vector<Token> x);

/// Catalog entry of a task `BOS x SEP y EOS` with n random symbols x: `target` is what the
/// generator writes as y, `oracle` an independent way to the same. y and EOS are scored. Parameter:
/// symbols.
TaskEntry transduction_entry(std::string name, std::string summary, Transduce target,
                             Transduce oracle);

}  // namespace attnspan
