#pragma once

#include <string>

#include "support/catch.hpp"

/// Matches what has this text in it; Catch2 v2 and v3 call it differently.
inline auto containing(const std::string& text) {
#if CATCH_VERSION >= 3
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}
