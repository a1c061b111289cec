#include <algorithm>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Runs of equal symbols, their lengths uniform; neighbouring runs differ, the last one is cut
/// where the sequence ends.
Symbols draw_runs(Rng& rng, std::int64_t length, std::int64_t symbols, std::int64_t shortest,
                  std::int64_t longest) {
  Symbols x;
  Token last = -1;
  while (std::ssize(x) < length) {
    const bool first = last < 0;
    auto symbol =
        static_cast<Token>(rng.below(static_cast<std::uint32_t>(first ? symbols : symbols - 1)));
    if (!first && symbol >= last) ++symbol;
    const std::int64_t run =
        shortest + rng.below(static_cast<std::uint32_t>(longest - shortest + 1));
    x.insert(x.end(), static_cast<std::size_t>(std::min(run, length - std::ssize(x))), symbol);
    last = symbol;
  }
  return x;
}

/// Labels by `count`, which the run that each symbol stands in has reached.
template <class Label>
Symbols label(std::span<const Token> x, Token symbols, Token longest, const Label& count) {
  Symbols y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(symbols + std::min<Token>(longest - 1, static_cast<Token>(count(i))));
  return y;
}

}  // namespace

TaskEntry local_count() {
  const auto make = [](const Arguments& arguments) {
    const auto symbols = static_cast<Token>(arguments.integer("symbols"));
    const auto longest = static_cast<Token>(arguments.integer("longest"));
    const std::int64_t shortest = std::min<std::int64_t>(arguments.integer("shortest"), longest);
    const auto target = [=](std::span<const Token> x) {
      std::size_t run = 0;
      return label(x, symbols, longest,
                   [&](std::size_t i) { return run = i > 0 && x[i] == x[i - 1] ? run + 1 : 0; });
    };
    // The start of each run is what a count is measured from.
    const auto oracle = [=](std::span<const Token> x) {
      std::vector<std::size_t> starts{0};
      for (std::size_t i = 1; i < x.size(); ++i)
        if (x[i] != x[i - 1]) starts.push_back(i);
      return label(x, symbols, longest, [&](std::size_t i) {
        return i - *(std::upper_bound(starts.begin(), starts.end(), i) - 1);
      });
    };
    return make_transduction(
        {.task = "local-count",
         .symbols = symbols + longest,
         .name =
             [symbols](Token symbol) {
               return symbol < symbols ? "s" + std::to_string(symbol)
                                       : std::to_string(symbol - symbols);
             },
         .layout = Transduction::Layout::each,
         .draw = [=](Rng& rng, std::int64_t length,
                     Purpose) { return draw_runs(rng, length, symbols, shortest, longest); },
         .target = target,
         .oracle = oracle,
         .choices = longest,
         .shortcuts = {{"always 0", "as if every symbol began a run",
                        [=](std::span<const Token> x) {
                          return label(x, symbols, longest, [](std::size_t) { return 0; });
                        }},
                       {"previous symbol alone", "1 where the symbol before is the same, else 0",
                        [=](std::span<const Token> x) {
                          return label(x, symbols, longest, [&](std::size_t i) {
                            return i > 0 && x[i] == x[i - 1] ? 1 : 0;
                          });
                        }},
                       {"whole count", "how often the symbol stood before, in any run",
                        [=](std::span<const Token> x) {
                          std::vector<std::size_t> seen(
                              static_cast<std::size_t>(symbols + longest));
                          return label(x, symbols, longest, [&](std::size_t i) {
                            return seen[static_cast<std::size_t>(x[i])]++;
                          });
                        }}}});
  };
  return {{.name = "local-count",
           .summary = "each token's label is its place in its run: s3 [0] s3 [1] s3 [2] s7 [0] ...",
           .source = "arXiv 2506.16640",
           .parameters = {symbols_parameter("16"),
                          {.name = "shortest",
                           .help = "tokens in the shortest run, at most those in the longest",
                           .default_value = "2",
                           .minimum = 1,
                           .maximum = 65536},
                          {.name = "longest",
                           .help = "tokens in the longest run",
                           .default_value = "48",
                           .minimum = 2,
                           .maximum = 65536}}},
          make};
}

}  // namespace attnspan::tasks
