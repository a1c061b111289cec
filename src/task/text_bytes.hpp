#pragma once

#include <string>

#include "task/task.hpp"

namespace attnspan {

/// Tokens of tasks on text are its bytes.
inline constexpr std::int32_t byte_kinds = 256;

/// A byte as one word without blanks: "a", or "0x0a" for what cannot be shown so.
std::string byte_name(Token byte);

/// How a list of tasks describes the text that a task reads.
ParameterSpec text_parameter();

}  // namespace attnspan
