#include <algorithm>

#include "core/error.hpp"
#include "task/haystack.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Symbols: the mark, noise, then the numbers 1, 2, ...
constexpr Token mark = 0;

}  // namespace

TaskEntry selective_count() {
  const auto make = [](const Arguments& arguments) {
    const auto noise = static_cast<Token>(arguments.integer("noise"));
    const auto most = static_cast<Token>(arguments.integer("marks"));
    const auto number = [=](std::int64_t count) {
      return noise + static_cast<Token>(std::clamp<std::int64_t>(count, 1, most));
    };
    const auto count_last = [=](std::span<const Token> x, std::size_t window) {
      return number(
          std::count(x.begin() + static_cast<std::ptrdiff_t>(x.size() - std::min(window, x.size())),
                     x.end(), mark));
    };
    return make_transduction(
        {.task = "selective-count",
         .symbols = 1 + noise + most,
         .name =
             [noise](Token symbol) {
               return symbol == mark    ? "!"
                      : symbol <= noise ? "n" + std::to_string(symbol - 1)
                                        : std::to_string(symbol - noise);
             },
         .draw =
             [=](Rng& rng, std::int64_t length, Purpose) {
               const std::int64_t marks = 1 + rng.below(static_cast<std::uint32_t>(most));
               Symbols x;
               scatter(
                   rng, marks, length - marks, [&] { x.push_back(mark); },
                   [&] { x.push_back(1 + random_symbols(rng, 1, noise)[0]); });
               return x;
             },
         .target =
             [=](std::span<const Token> x) {
               Token marks = 0;
               for (const Token symbol : x) marks += symbol == mark ? 1 : 0;
               return Symbols{number(marks)};
             },
         // What is left when the noise is taken away.
         .oracle =
             [=](std::span<const Token> x) {
               Symbols left(x.begin(), x.end());
               left.erase(std::remove_if(left.begin(), left.end(),
                                         [](Token symbol) { return symbol != mark; }),
                          left.end());
               return Symbols{number(std::ssize(left))};
             },
         .y_symbols = [](std::int64_t) { return 1; },
         .check =
             [most](std::int64_t length) {
               if (length < most)
                 throw InputError("selective-count: length " + std::to_string(length) +
                                  " has no room for " + std::to_string(most) +
                                  " marks; use a length of at least " + std::to_string(most) +
                                  " or fewer marks.");
             },
         .choices = most,
         .shortcuts = {{"last half", "the marks in the last half",
                        [=](std::span<const Token> x) {
                          return Symbols{count_last(x, x.size() / 2)};
                        }},
                       {"last 32", "the marks among the last 32 tokens",
                        [=](std::span<const Token> x) { return Symbols{count_last(x, 32)}; }},
                       {"always 1", "one mark",
                        [=](std::span<const Token>) { return Symbols{number(1)}; }}}});
  };
  return {{.name = "selective-count",
           .summary = "how many marks there are, at any length: BOS n3 ! n0 n7 ! ... SEP 2 EOS",
           .source = "our own, without a paper",
           .parameters = {{.name = "marks",
                           .help = "there are from one to this number of marks",
                           .default_value = "8",
                           .minimum = 2,
                           .maximum = 4096},
                          {.name = "noise",
                           .help = "symbols that noise is made of",
                           .default_value = "16",
                           .minimum = 1,
                           .maximum = 65536}}},
          make};
}

}  // namespace attnspan::tasks
