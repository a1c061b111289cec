#include <algorithm>
#include <map>

#include "task/transduction.hpp"

namespace attnspan::tasks {

TaskEntry sort() {
  const Transduce by_comparison = [](std::vector<Token> x) {
    std::sort(x.begin(), x.end());
    return x;
  };
  const Transduce by_counting = [](std::vector<Token> x) {
    std::map<Token, std::size_t> counts;
    for (const Token symbol : x) ++counts[symbol];
    std::vector<Token> y;
    for (const auto& [symbol, count] : counts) y.insert(y.end(), count, symbol);
    return y;
  };
  return transduction_entry("sort", "write symbols in ascending order: BOS x SEP sorted(x) EOS",
                            by_comparison, by_counting);
}

}  // namespace attnspan::tasks
