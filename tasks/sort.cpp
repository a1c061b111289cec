#include <algorithm>
#include <map>
#include <set>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

Symbols by_comparison(std::span<const Token> x) {
  Symbols y(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  return y;
}

Symbols by_counting(std::span<const Token> x) {
  std::map<Token, std::size_t> counts;
  for (const Token symbol : x) ++counts[symbol];
  Symbols y;
  for (const auto& [symbol, count] : counts) y.insert(y.end(), count, symbol);
  return y;
}

Symbols without_counting(std::span<const Token> x) {
  const std::set<Token> present(x.begin(), x.end());
  return {present.begin(), present.end()};
}

Symbols evenly(std::span<const Token> x) {
  const Symbols present = without_counting(x);
  Symbols y;
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(present[i * present.size() / x.size()]);
  return y;
}

/// All the places of the symbol that belongs there.
std::vector<std::size_t> every_copy(std::span<const Token> x, std::size_t i) {
  const Token symbol = by_counting(x)[i];
  std::vector<std::size_t> places;
  for (std::size_t k = 0; k < x.size(); ++k)
    if (x[k] == symbol) places.push_back(k);
  return places;
}

}  // namespace

TaskEntry sort() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    return make_transduction(
        {.task = "sort",
         .symbols = symbols,
         .draw = [symbols](Rng& rng, std::int64_t length,
                           Purpose) { return random_symbols(rng, length, symbols); },
         .target = by_comparison,
         .oracle = by_counting,
         .choices = symbols,
         .shortcuts = {{"each once", "the symbols there are in order, each once", without_counting},
                       {"evenly", "the symbols there are in order, each equally often", evenly},
                       most_common_guess()},
         .evidence = every_copy,
         .confusions = misplacements()});
  };
  return {{.name = "sort",
           .summary = "write symbols in ascending order: BOS x SEP sorted(x) EOS",
           .source = "arXiv 2506.16640",
           .parameters = {symbols_parameter("32")}},
          make};
}

}  // namespace attnspan::tasks
