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

/// How often a text has another in it.
inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}
