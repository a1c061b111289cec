#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace attnspan {

/// What each layer has, from a text that names it: `a~b` is a in the first layer and b in the
/// second and every later one, since the last entry goes on. `(a~b)` takes turns: a, b, a, b, ...;
/// `2x(a~b)` does so twice, and is followed by what stands behind it. Throws InputError, naming
/// `what`, on a text that has no such form or names more layers than there are.
std::vector<std::string> by_layer(const std::string& what, const std::string& text,
                                  std::int64_t layers);

/// The same text with every name in it replaced.
std::string with_names(const std::string& what, const std::string& text,
                       const std::function<std::string(const std::string&)>& replace);

}  // namespace attnspan
