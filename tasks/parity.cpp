#include <algorithm>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Whether the ones up to each place are odd in number.
Symbols by_toggling(std::span<const Token> x) {
  Symbols y;
  Token odd = 0;
  for (const Token bit : x) y.push_back(odd = bit == 1 ? 1 - odd : odd);
  return y;
}

/// The same by counting.
Symbols by_counting(std::span<const Token> x) {
  Symbols y;
  std::int64_t ones = 0;
  for (const Token bit : x) {
    ones += bit;
    y.push_back(static_cast<Token>(ones % 2));
  }
  return y;
}

Symbols same(std::span<const Token> x) { return {x.begin(), x.end()}; }

/// Parity of the last `window` bits alone.
Symbols of_window(std::span<const Token> x, std::size_t window) {
  Symbols y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t first = i + 1 < window ? 0 : i + 1 - window;
    y.push_back(by_counting(x.subspan(first, i + 1 - first)).back());
  }
  return y;
}

}  // namespace

TaskEntry parity() {
  const auto make = [](const Arguments& arguments) {
    const bool each = arguments.text("answer") == "each";
    const auto answered = [each](Transduce labels) -> Transduce {
      if (each) return labels;
      return [labels](std::span<const Token> x) {
        const Symbols y = labels(x);
        return y.empty() ? y : Symbols{y.back()};
      };
    };
    return make_transduction(
        {.task = "parity",
         .symbols = 2,
         .name = [](Token bit) { return std::to_string(bit); },
         .layout = each ? Transduction::Layout::each : Transduction::Layout::after,
         .draw = [](Rng& rng, std::int64_t length,
                    Purpose) { return random_symbols(rng, length, 2); },
         .target = answered(by_toggling),
         .oracle = answered(by_counting),
         .y_symbols = [each](std::int64_t length) { return each ? length : 1; },
         .choices = 2,
         .shortcuts = {{"last bit", "the bit itself", answered(same)},
                       {"last two bits", "their parity",
                        answered([](std::span<const Token> x) { return of_window(x, 2); })},
                       {"last eight bits", "their parity",
                        answered([](std::span<const Token> x) { return of_window(x, 8); })},
                       {"always even", "0",
                        answered([](std::span<const Token> x) { return Symbols(x.size(), 0); })}}});
  };
  return {{.name = "parity",
           .summary = "whether the ones so far are odd in number: 1 [1] 0 [1] 1 [0] ...",
           .source = "Hahn 2020, arXiv 1906.06755; last: arXiv 2506.16640",
           .parameters = {{.name = "answer",
                           .help = "each: a label at every bit; last: one answer, BOS x SEP y EOS",
                           .default_value = "each",
                           .kind = ParameterSpec::Kind::choice,
                           .choices = {"each", "last"}}}},
          make};
}

}  // namespace attnspan::tasks
