#pragma once

#include <optional>
#include <string>

namespace attnspan {

/// The value of --threads, or all cores when it was not given. Throws InputError.
int read_threads(const std::optional<std::string>& text);

}  // namespace attnspan
