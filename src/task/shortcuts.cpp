#include "task/shortcuts.hpp"

#include <algorithm>
#include <map>

namespace attnspan {

Token most_common(std::span<const Token> tokens) {
  std::map<Token, std::size_t> counts;
  for (const Token token : tokens) ++counts[token];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  return most == counts.end() ? -1 : most->first;
}

}  // namespace attnspan
