#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/error.hpp"

/// What every target defines: feeds one input to a parser. The process ends when it does anything
/// but accept the input or refuse it with a sentence.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A property that holds for every input.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", property);
  std::abort();
}

/// Refusing is fine, and so is to find no file of a name; any other exception ends the process.
template <class Parse>
void allow_refusal(const Parse& parse) {
  try {
    parse();
  } catch (const attnspan::InputError& error) {
    require(*error.what() != '\0', "a refusal says why");
  } catch (const attnspan::FileError& error) {
    require(*error.what() != '\0', "a refusal says why");
  }
}

/// What the program itself wrote may not be refused.
template <class Parse>
auto no_refusal(const Parse& parse) {
  try {
    return parse();
  } catch (const attnspan::InputError& error) {
    require(false, error.what());
    throw;
  }
}

}  // namespace fuzz
