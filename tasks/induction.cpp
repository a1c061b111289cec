#include <algorithm>

#include "core/error.hpp"
#include "task/haystack.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token trigger = 0;

/// Symbols with the trigger `times` times among them, never twice in a row, and once more at the
/// end.
Symbols draw_with_trigger(Rng& rng, std::int64_t length, std::int64_t symbols, std::int64_t times) {
  Symbols x = random_symbols(rng, length, symbols - 1);
  for (Token& symbol : x) ++symbol;
  x.back() = trigger;
  // Places that are apart by two: choose among fewer, then move each by how many lie before it.
  std::vector<std::size_t> places = draw_questions(rng, length - 1 - times, times);
  std::sort(places.begin(), places.end());
  for (std::size_t i = 0; i < places.size(); ++i) x[places[i] + i] = trigger;
  return x;
}

/// What stood behind the trigger, the last one but that at the end.
Symbols by_search(std::span<const Token> x) {
  for (std::size_t i = x.size(); i-- > 1;)
    if (i + 1 < x.size() && x[i - 1] == trigger) return {x[i]};
  return {};
}

/// The same reading on: every trigger overwrites what was known.
Symbols by_memory(std::span<const Token> x) {
  Symbols known;
  bool after_trigger = false;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    if (after_trigger) known = {x[i]};
    after_trigger = x[i] == trigger;
  }
  return known;
}

Symbols first_told(std::span<const Token> x) {
  const auto first = std::find(x.begin(), x.end(), trigger);
  return x.end() - first < 2 ? Symbols() : Symbols{first[1]};
}

}  // namespace

TaskEntry induction() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols"), times = arguments.integer("times");
    Transduction task{
        .task = "induction",
        .symbols = symbols,
        .name = [](Token symbol) { return symbol == trigger ? "T" : "s" + std::to_string(symbol); },
        .layout = Transduction::Layout::next,
        .draw = [symbols, times](
                    Rng& rng, std::int64_t length,
                    Purpose) { return draw_with_trigger(rng, length, symbols, times); },
        .target = by_search,
        .oracle = by_memory,
        .y_symbols = [](std::int64_t) { return 1; },
        .check =
            [times](std::int64_t length) {
              if (length < 2 * times + 1)
                throw InputError("induction: length " + std::to_string(length) +
                                 " has no room for the trigger " + std::to_string(times) +
                                 (times == 1 ? " time" : " times") + " and at the end; use a " +
                                 "length of at least " + std::to_string(2 * times + 1) + ".");
            },
        .choices = symbols - 1,
        .shortcuts = {{"most common symbol", "the symbol most common, the trigger apart",
                       [](std::span<const Token> x) {
                         Symbols others;
                         std::copy_if(x.begin(), x.end(), std::back_inserter(others),
                                      [](Token symbol) { return symbol != trigger; });
                         return Symbols{most_common(others)};
                       }},
                      {"previous symbol", "the symbol before the trigger at the end",
                       [](std::span<const Token> x) {
                         return x.size() < 2 ? Symbols() : Symbols{x[x.size() - 2]};
                       }}}};
    if (times > 1)
      task.shortcuts.push_back(
          {"first told", "what followed the trigger where it first stood", first_told});
    return make_transduction(std::move(task));
  };
  return {{.name = "induction",
           .summary = "what followed the trigger where it last stood: s4 T s9 s1 ... T [s9]",
           .source = "Olsson et al. 2022, arXiv 2209.11895",
           .parameters = {{.name = "symbols",
                           .help = "size of the alphabet, the trigger included",
                           .default_value = "32",
                           .minimum = 3,
                           .maximum = 65536},
                          {.name = "times",
                           .help = "times that the trigger stands in the sequence before its end",
                           .default_value = "1",
                           .minimum = 1,
                           .maximum = 4096}}},
          make};
}

}  // namespace attnspan::tasks
