#include "core/error.hpp"
#include "task/haystack.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

Symbols repeat(std::span<const Token> x) { return {x.begin(), x.end()}; }

/// The same, taken off the end of x and put before what was there.
Symbols unstack(std::span<const Token> x) {
  Symbols y(x.size());
  auto front = y.end();
  for (; !x.empty(); x = x.first(x.size() - 1)) *--front = x.back();
  return y;
}

Symbols draw_distinct(Rng& rng, std::int64_t length, std::int64_t symbols) {
  Symbols x;
  for (const Word& word : distinct_words(rng, length, symbols, 1)) x.push_back(word[0]);
  return x;
}

}  // namespace

TaskEntry copy() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols");
    Transduction copy{.task = "copy",
                      .symbols = symbols,
                      .draw = [symbols](Rng& rng, std::int64_t length,
                                        Purpose) { return random_symbols(rng, length, symbols); },
                      .target = repeat,
                      .oracle = unstack,
                      .choices = symbols,
                      .shortcuts = {most_common_guess()},
                      .evidence = [](std::span<const Token>,
                                     std::size_t i) { return std::vector<std::size_t>{i}; },
                      .confusions = jumps()};
    if (arguments.text("draw") == "unique") {
      copy.draw = [symbols](Rng& rng, std::int64_t length, Purpose) {
        return draw_distinct(rng, length, symbols);
      };
      copy.check = [symbols](std::int64_t length) {
        if (length > symbols)
          throw InputError("copy: length " + std::to_string(length) +
                           " needs as many different symbols, but symbols=" +
                           std::to_string(symbols) + "; raise symbols.");
      };
    } else {
      // Where no symbol comes twice, this would be the task itself.
      for (const bool first : {true, false}) copy.shortcuts.push_back(follow_guess(first));
    }
    return make_transduction(std::move(copy));
  };
  return {{.name = "copy",
           .summary = "repeat a sequence of symbols: BOS x SEP x EOS",
           .source = "arXiv 2506.16640; unique: Zhou et al. 2023, arXiv 2310.16028",
           .parameters = {{.name = "draw",
                           .help = "any: symbols may come again; unique: none comes twice",
                           .default_value = "any",
                           .kind = ParameterSpec::Kind::choice,
                           .choices = {"any", "unique"}},
                          symbols_parameter("32")}},
          make};
}

}  // namespace attnspan::tasks
