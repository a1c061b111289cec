#pragma once

#include <string>

#include "record/json.hpp"

namespace attnspan {

/// "attnspan 0.1.0 (commit abc), GCC 12.2.0, AVX2": what --version says.
std::string describe_build();

/// The context of a result: date, program, machine and threads.
Json result_context(int threads);

}  // namespace attnspan
