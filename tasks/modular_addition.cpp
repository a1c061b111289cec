#include <numeric>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// The running sum, reduced at every step.
Symbols step_by_step(std::span<const Token> x, Token modulus) {
  Symbols y;
  Token sum = 0;
  for (const Token symbol : x) {
    sum += symbol;
    if (sum >= modulus) sum -= modulus;
    y.push_back(sum);
  }
  return y;
}

/// The same from sums that are reduced once.
Symbols from_sums(std::span<const Token> x, Token modulus) {
  std::vector<std::int64_t> sums(x.size());
  std::partial_sum(x.begin(), x.end(), sums.begin(), std::plus<std::int64_t>());
  Symbols y;
  for (const std::int64_t sum : sums) y.push_back(static_cast<Token>(sum % modulus));
  return y;
}

}  // namespace

TaskEntry modular_addition() {
  const auto make = [](const Arguments& arguments) {
    const auto modulus = static_cast<Token>(arguments.integer("modulus"));
    return make_transduction(
        {.task = "modular-addition",
         .symbols = modulus,
         .name = [](Token symbol) { return std::to_string(symbol); },
         .layout = Transduction::Layout::each,
         .draw = [modulus](Rng& rng, std::int64_t length,
                           Purpose) { return random_symbols(rng, length, modulus); },
         .target = [modulus](std::span<const Token> x) { return step_by_step(x, modulus); },
         .oracle = [modulus](std::span<const Token> x) { return from_sums(x, modulus); },
         .choices = modulus,
         .shortcuts = {same_symbol_guess(),
                       {"last two", "the sum of the last two numbers",
                        [modulus](std::span<const Token> x) {
                          Symbols y;
                          for (std::size_t i = 0; i < x.size(); ++i)
                            y.push_back((x[i] + (i > 0 ? x[i - 1] : 0)) % modulus);
                          return y;
                        }}}});
  };
  return {{.name = "modular-addition",
           .summary = "the sum so far, modulo a number: 3 [3] 4 [2] 1 [3] ...",
           .source = "Deletang et al. 2023, arXiv 2207.02098",
           .parameters = {{.name = "modulus",
                           .help = "numbers are 0 to one less",
                           .default_value = "5",
                           .minimum = 2,
                           .maximum = 65536}}},
          make};
}

}  // namespace attnspan::tasks
