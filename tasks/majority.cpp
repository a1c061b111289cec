#include <map>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// The symbol most common so far; of several the one that was first met in x.
Symbols by_champion(std::span<const Token> x) {
  std::map<Token, std::size_t> counts, first;
  Symbols y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    first.try_emplace(x[i], i);
    ++counts[x[i]];
    // Only the symbol just met can have overtaken the one ahead.
    Token ahead = y.empty() ? x[i] : y.back();
    if (counts[x[i]] > counts[ahead] ||
        (counts[x[i]] == counts[ahead] && first[x[i]] < first[ahead]))
      ahead = x[i];
    y.push_back(ahead);
  }
  return y;
}

/// The same from all counts, in the order in which symbols were first met.
Symbols by_counts(std::span<const Token> x) {
  std::vector<std::pair<Token, std::size_t>> counts;
  Symbols y;
  for (const Token symbol : x) {
    bool known = false;
    std::pair<Token, std::size_t> most{-1, 0};
    for (auto& [met, count] : counts) {
      if (met == symbol) {
        ++count;
        known = true;
      }
      if (count > most.second) most = {met, count};
    }
    if (!known) counts.emplace_back(symbol, 1);
    y.push_back(most.second == 0 ? symbol : most.first);
  }
  return y;
}

}  // namespace

TaskEntry majority() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    return make_transduction(
        {.task = "majority",
         .symbols = symbols,
         .layout = Transduction::Layout::each,
         .draw = [symbols](Rng& rng, std::int64_t length,
                           Purpose) { return random_symbols(rng, length, symbols); },
         .target = by_champion,
         .oracle = by_counts,
         .choices = symbols,
         .shortcuts = {
             same_symbol_guess(),
             {"first symbol", "the first of all",
              [](std::span<const Token> x) {
                return x.empty() ? Symbols() : Symbols(x.size(), x[0]);
              }},
             {"last 16", "the majority of the last 16 symbols alone", [](std::span<const Token> x) {
                Symbols y;
                for (std::size_t i = 0; i < x.size(); ++i) {
                  const std::size_t first = i < 15 ? 0 : i - 15;
                  y.push_back(by_counts(x.subspan(first, i + 1 - first)).back());
                }
                return y;
              }}}});
  };
  return {
      {.name = "majority",
       .summary = "the symbol most common so far, of several the one first met: s1 [s1] s0 [s1] "
                  "s0 [s0] ...",
       .source = "Merrill, Sabharwal and Smith 2022, arXiv 2106.16213",
       .parameters = {{.name = "symbols",
                       .help = "size of the alphabet",
                       .default_value = "4",
                       .minimum = 2,
                       .maximum = 64}}},
      make};
}

}  // namespace attnspan::tasks
