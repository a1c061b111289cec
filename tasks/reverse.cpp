#include <algorithm>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

Symbols from_the_end(std::span<const Token> x) { return {x.rbegin(), x.rend()}; }

/// The same by exchanging ends until they meet.
Symbols by_exchange(std::span<const Token> x) {
  Symbols y(x.begin(), x.end());
  for (std::size_t i = 0; i < y.size() / 2; ++i) std::swap(y[i], y[y.size() - 1 - i]);
  return y;
}

/// What came before the symbol before where it stood last; the first of all is given.
Symbols precede(std::span<const Token> x) {
  std::vector<Token> before;  // by symbol
  for (std::size_t i = 0; i < x.size(); ++i) {
    before.resize(std::max(before.size(), static_cast<std::size_t>(x[i]) + 1), x[i]);
    if (i > 0) before[static_cast<std::size_t>(x[i])] = x[i - 1];
  }
  Symbols y(x.rbegin(), x.rbegin() + (x.empty() ? 0 : 1));
  while (y.size() < x.size()) y.push_back(before[static_cast<std::size_t>(y.back())]);
  return y;
}

}  // namespace

TaskEntry reverse() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    return make_transduction(
        {.task = "reverse",
         .symbols = symbols,
         .draw = [symbols](Rng& rng, std::int64_t length,
                           Purpose) { return random_symbols(rng, length, symbols); },
         .target = from_the_end,
         .oracle = by_exchange,
         .choices = symbols,
         .shortcuts = {{"go back from the last",
                        "what came before the symbol before where it stood last", precede},
                       most_common_guess()},
         .evidence = [](std::span<const Token> x,
                        std::size_t i) { return std::vector<std::size_t>{x.size() - 1 - i}; },
         .confusions = jumps()});
  };
  return {{.name = "reverse",
           .summary = "write a sequence of symbols backwards: BOS x SEP reversed(x) EOS",
           .source = "arXiv 2506.16640",
           .parameters = {symbols_parameter("32")}},
          make};
}

}  // namespace attnspan::tasks
