#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// All symbols but one, each at least once, in an order drawn uniformly.
Symbols draw_all_but_one(Rng& rng, std::int64_t length, std::int64_t symbols) {
  const auto missing = static_cast<Token>(rng.below(static_cast<std::uint32_t>(symbols)));
  Symbols x(static_cast<std::size_t>(symbols - 1));
  std::iota(x.begin(), x.end(), Token{0});
  for (const Token symbol : random_symbols(rng, length - (symbols - 1), symbols - 1))
    x.push_back(symbol);
  for (Token& symbol : x) symbol += symbol >= missing ? 1 : 0;
  for (std::size_t left = x.size(); left > 1; --left)
    std::swap(x[left - 1], x[rng.below(static_cast<std::uint32_t>(left))]);
  return x;
}

/// The symbol that is not there; the smallest of several.
Symbols by_ticking_off(std::span<const Token> x, std::int64_t symbols) {
  std::vector<bool> there(static_cast<std::size_t>(symbols));
  for (const Token symbol : x) there[static_cast<std::size_t>(symbol)] = true;
  const auto gap = std::find(there.begin(), there.end(), false);
  return gap == there.end() ? Symbols() : Symbols{static_cast<Token>(gap - there.begin())};
}

/// The same: where sorted symbols first leave a gap.
Symbols by_sorting(std::span<const Token> x, std::int64_t symbols) {
  Symbols sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  Token expected = 0;
  for (const Token symbol : sorted) {
    if (symbol > expected) break;
    expected = symbol + 1;
  }
  return expected < symbols ? Symbols{expected} : Symbols();
}

}  // namespace

TaskEntry missing_symbol() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    return make_transduction(
        {.task = "missing-symbol",
         .symbols = symbols,
         .draw = [symbols](Rng& rng, std::int64_t length,
                           Purpose) { return draw_all_but_one(rng, length, symbols); },
         .target = [symbols](std::span<const Token> x) { return by_ticking_off(x, symbols); },
         .oracle = [symbols](std::span<const Token> x) { return by_sorting(x, symbols); },
         .y_symbols = [](std::int64_t) { return 1; },
         .check =
             [symbols](std::int64_t length) {
               if (length < symbols - 1)
                 throw InputError("missing-symbol: length " + std::to_string(length) +
                                  " has no room for all symbols but one; use a length of at "
                                  "least " +
                                  std::to_string(symbols - 1) + " or fewer symbols.");
             },
         .choices = symbols,
         .shortcuts = {{"absent at the end", "a symbol absent from the last half",
                        [symbols](std::span<const Token> x) {
                          return by_ticking_off(x.last(x.size() / 2), symbols);
                        }},
                       {"first symbol", "the first symbol of the alphabet",
                        [](std::span<const Token>) { return Symbols{0}; }}}});
  };
  return {{.name = "missing-symbol",
           .summary = "the one symbol of the alphabet that is absent: BOS s2 s0 s2 SEP s1 EOS",
           .source = "after set complement, arXiv 2510.08341",
           .parameters = {symbols_parameter("16")}},
          make};
}

}  // namespace attnspan::tasks
