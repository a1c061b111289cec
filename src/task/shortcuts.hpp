#pragma once

#include <span>

#include "task/task.hpp"

namespace attnspan {

/// The token that stands there most often, the smallest of several; -1 when there is none.
Token most_common(std::span<const Token> tokens);

}  // namespace attnspan
