#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "task/haystack.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token blank = 0;

Symbols without_blanks(std::span<const Token> x) {
  Symbols y;
  std::copy_if(x.begin(), x.end(), std::back_inserter(y), [](Token s) { return s != blank; });
  return y;
}

/// The same: a stable partition brings the data to the front.
Symbols by_partition(std::span<const Token> x) {
  Symbols y(x.begin(), x.end());
  y.erase(std::stable_partition(y.begin(), y.end(), [](Token s) { return s != blank; }), y.end());
  return y;
}

/// A shortcut of the data alone.
Transduction::Guess of_data(Transduction::Guess guess) {
  guess.y = [y = guess.y](std::span<const Token> x) { return y(without_blanks(x)); };
  return guess;
}

}  // namespace

TaskEntry selective_copy() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t symbols = arguments.integer("symbols"), data = arguments.integer("data");
    return make_transduction(
        {.task = "selective-copy",
         .symbols = symbols + 1,
         .name = [](Token s) { return s == blank ? "_" : "s" + std::to_string(s - 1); },
         .draw =
             [symbols, data](Rng& rng, std::int64_t length, Purpose) {
               Symbols x;
               scatter(
                   rng, data, length - data,
                   [&] { x.push_back(1 + random_symbols(rng, 1, symbols)[0]); },
                   [&] { x.push_back(blank); });
               return x;
             },
         .target = without_blanks,
         .oracle = by_partition,
         .y_symbols = [data](std::int64_t) { return data; },
         .check =
             [data](std::int64_t length) {
               if (length < data)
                 throw InputError("selective-copy: length " + std::to_string(length) +
                                  " has no room for " + std::to_string(data) +
                                  " data tokens; use a length of at least " + std::to_string(data) +
                                  " or lower data.");
             },
         .choices = symbols,
         .shortcuts = {of_data(most_common_guess()), of_data(follow_guess(true)),
                       of_data(follow_guess(false))}});
  };
  return {{.name = "selective-copy",
           .summary = "copy what stands between blanks: _ s3 _ _ s7 _ ... SEP s3 s7 EOS",
           .source = "Gu and Dao 2023, arXiv 2312.00752",
           .parameters = {symbols_parameter("16"),
                          {.name = "data",
                           .help = "tokens to copy, whatever the length",
                           .default_value = "16",
                           .minimum = 1,
                           .maximum = longest_length}}},
          make};
}

}  // namespace attnspan::tasks
