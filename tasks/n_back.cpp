#include <deque>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Each symbol's label is that `back` places before it, s0 where there is none.
Symbols by_index(std::span<const Token> x, std::size_t back) {
  Symbols y(x.size(), 0);
  for (std::size_t i = back; i < x.size(); ++i) y[i] = x[i - back];
  return y;
}

/// The same with a queue that starts full of s0.
Symbols by_queue(std::span<const Token> x, std::size_t back) {
  std::deque<Token> queue(back, 0);
  Symbols y;
  for (const Token symbol : x) {
    queue.push_back(symbol);
    y.push_back(queue.front());
    queue.pop_front();
  }
  return y;
}

}  // namespace

TaskEntry n_back() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    const auto back = static_cast<std::size_t>(arguments.integer("n"));
    Transduction task{
        .task = "n-back",
        .symbols = symbols,
        .layout = Transduction::Layout::each,
        .draw = [symbols](Rng& rng, std::int64_t length,
                          Purpose) { return random_symbols(rng, length, symbols); },
        .target = [back](std::span<const Token> x) { return by_index(x, back); },
        .oracle = [back](std::span<const Token> x) { return by_queue(x, back); },
        .choices = symbols,
        .shortcuts = {same_symbol_guess(),
                      {"two places off", "the symbol two places before that",
                       [back](std::span<const Token> x) { return by_index(x, back + 2); }}},
        .evidence =
            [back](std::span<const Token>, std::size_t i) {
              return i < back ? std::vector<std::size_t>{} : std::vector<std::size_t>{i - back};
            },
        .confusions = misplacements()};
    if (back > 1)
      task.shortcuts.push_back({"previous symbol", "the symbol one place before",
                                [](std::span<const Token> x) { return by_index(x, 1); }});
    return make_transduction(std::move(task));
  };
  return {
      {.name = "n-back",
       .summary = "each token's label is the token n places before: s4 [s0] s2 [s0] s7 [s4] ...",
       .source = "arXiv 2506.16640",
       .parameters = {{.name = "n",
                       .help = "places back",
                       .default_value = "2",
                       .minimum = 1,
                       .maximum = 4096},
                      symbols_parameter("16")}},
      make};
}

}  // namespace attnspan::tasks
