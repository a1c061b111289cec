#include <algorithm>

#include "core/error.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token values = 10, comma = 10, pointer = 11;

Symbols draw(Rng& rng, std::int64_t length, Purpose) {
  const auto marked = static_cast<std::int64_t>(rng.below(static_cast<std::uint32_t>(length - 1)));
  Symbols x;
  for (std::int64_t item = 0; item < length; ++item) {
    if (item > 0) x.push_back(comma);
    if (item == marked) x.push_back(pointer);
    x.push_back(static_cast<Token>(rng.below(values)));
  }
  return x;
}

/// The pointer's value, and that behind the comma.
Symbols behind_pointer(std::span<const Token> x) {
  const auto mark = std::find(x.begin(), x.end(), pointer);
  return x.end() - mark < 4 ? Symbols() : Symbols{mark[1], mark[3]};
}

/// The same from the end, value by value.
Symbols from_the_end(std::span<const Token> x) {
  Token last = -1, before = -1;
  for (std::size_t i = x.size(); i-- > 0;) {
    if (x[i] == pointer) return {last, before};
    if (x[i] == comma) continue;
    before = last;
    last = x[i];
  }
  return {};
}

Symbols all_values(std::span<const Token> x) {
  Symbols found;
  std::copy_if(x.begin(), x.end(), std::back_inserter(found), [](Token s) { return s < values; });
  return found;
}

}  // namespace

TaskEntry pair_trace() {
  const auto make = [](const Arguments&) {
    return make_transduction(
        {.task = "pair-trace",
         .symbols = 12,
         .name =
             [](Token symbol) {
               return symbol == comma ? "," : symbol == pointer ? "PTR" : std::to_string(symbol);
             },
         .draw = draw,
         .target = behind_pointer,
         .oracle = from_the_end,
         .x_symbols = [](std::int64_t length) { return 2 * length; },
         .y_symbols = [](std::int64_t) { return 2; },
         .check =
             [](std::int64_t length) {
               if (length < 2)
                 throw InputError("pair-trace: length 1 has no pair; use a length of at least 2.");
             },
         .choices = values,
         .shortcuts = {{"marked value twice", "the marked value, and again",
                        [](std::span<const Token> x) {
                          const Symbols pair = from_the_end(x);
                          return pair.empty() ? pair : Symbols{pair[0], pair[0]};
                        }},
                       {"most common value", "the value most common in the list, twice",
                        [](std::span<const Token> x) {
                          return Symbols(2, most_common(all_values(x)));
                        }},
                       {"last pair", "the last two values", [](std::span<const Token> x) {
                          const Symbols found = all_values(x);
                          return found.size() < 2 ? Symbols()
                                                  : Symbols(found.end() - 2, found.end());
                        }}}});
  };
  return {{.name = "pair-trace",
           .summary = "the value marked by a pointer, and the next: 3 , PTR 7 , 1 SEP 7 1 EOS",
           .source = "a public repository's README, without a paper"},
          make};
}

}  // namespace attnspan::tasks
