#include <algorithm>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Two numbers of equally many digits, lowest digit first, with a plus between them; the sum has
/// one digit more.
struct Addition {
  Token base;

  Token plus() const { return base; }

  Symbols draw(Rng& rng, std::int64_t length) const {
    Symbols x = random_symbols(rng, length, base);
    x.push_back(plus());
    const Symbols second = random_symbols(rng, length, base);
    x.insert(x.end(), second.begin(), second.end());
    return x;
  }

  /// Sums of the digits that stand under each other; empty where x is not two numbers.
  Symbols columns(std::span<const Token> x) const {
    const std::size_t digits = x.size() / 2;
    if (x.size() % 2 == 0 || x[digits] != plus() || std::count(x.begin(), x.end(), plus()) != 1)
      return {};
    Symbols sums;
    for (std::size_t i = 0; i < digits; ++i) sums.push_back(x[i] + x[digits + 1 + i]);
    return sums;
  }

  /// As at school.
  Symbols with_carry(std::span<const Token> x) const {
    Symbols y = columns(x);
    if (y.empty()) return y;
    Token carry = 0;
    for (Token& digit : y) {
      digit += carry;
      carry = digit >= base ? 1 : 0;
      digit -= carry * base;
    }
    y.push_back(carry);
    return y;
  }

  /// The same looking back from each column, at most `reach` columns: what is carried into it is
  /// decided by the nearest column below that does not merely pass a carry on.
  Symbols by_looking_back(std::span<const Token> x, std::size_t reach) const {
    const Symbols sums = columns(x);
    if (sums.empty()) return sums;
    Symbols y;
    std::size_t deciding = 0;  // one above the nearest deciding column
    for (std::size_t i = 0; i <= sums.size(); ++i) {
      if (i > 0 && sums[i - 1] != base - 1) deciding = i;
      const bool carried = deciding > 0 && i - deciding < reach && sums[deciding - 1] >= base;
      const Token sum = (i < sums.size() ? sums[i] : 0) + (carried ? 1 : 0);
      y.push_back(sum % base);
    }
    return y;
  }
};

}  // namespace

TaskEntry addition() {
  const auto make = [](const Arguments& arguments) {
    const Addition rules{static_cast<Token>(arguments.integer("base"))};
    return make_transduction(
        {.task = "addition",
         .symbols = rules.base + 1,
         .name =
             [rules](Token symbol) {
               return symbol == rules.plus() ? std::string("+") : std::to_string(symbol);
             },
         .draw = [rules](Rng& rng, std::int64_t length,
                         Purpose) { return rules.draw(rng, length); },
         .target = [rules](std::span<const Token> x) { return rules.with_carry(x); },
         .oracle = [rules](std::span<const Token> x) { return rules.by_looking_back(x, x.size()); },
         .x_symbols = [](std::int64_t length) { return 2 * length + 1; },
         .y_symbols = [](std::int64_t length) { return length + 1; },
         .choices = rules.base,
         .shortcuts = {{"no carry", "each column by itself",
                        [rules](std::span<const Token> x) { return rules.by_looking_back(x, 0); }},
                       {"carry of one column", "with the carry that the column before makes itself",
                        [rules](std::span<const Token> x) {
                          return rules.by_looking_back(x, 1);
                        }}}});
  };
  return {{.name = "addition",
           .summary = "the sum of two numbers, lowest digits first: BOS 7 2 + 5 1 SEP 2 4 0 EOS",
           .source = "Lee et al. 2023, arXiv 2307.03381",
           .parameters = {{.name = "base",
                           .help = "of the digits",
                           .default_value = "10",
                           .minimum = 2,
                           .maximum = 65536}}},
          make};
}

}  // namespace attnspan::tasks
