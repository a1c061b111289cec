#include <algorithm>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token base = 10;

/// Items of a value of `digits` digits, highest first, and a class.
struct MaxRetrieval {
  std::size_t digits;
  Token classes;

  std::size_t width() const { return digits + 1; }

  Symbols draw(Rng& rng, std::int64_t length, Purpose) const {
    for (;;) {
      Symbols x;
      x.reserve(static_cast<std::size_t>(length) * width());
      for (std::int64_t item = 0; item < length; ++item) {
        for (std::size_t digit = 0; digit < digits; ++digit)
          x.push_back(static_cast<Token>(rng.below(base)));
        x.push_back(base + static_cast<Token>(rng.below(static_cast<std::uint32_t>(classes))));
      }
      if (is_unique(x)) return x;
    }
  }

  std::int64_t value(std::span<const Token> item) const {
    std::int64_t value = 0;
    for (const Token digit : item.first(digits)) value = value * base + digit;
    return value;
  }

  bool is_unique(std::span<const Token> x) const {
    std::int64_t largest = -1;
    int times = 0;
    for (; !x.empty(); x = x.subspan(width())) {
      const std::int64_t here = value(x);
      times = here > largest ? 1 : times + (here == largest ? 1 : 0);
      largest = std::max(largest, here);
    }
    return times == 1;
  }

  /// The class of the largest number.
  Symbols by_value(std::span<const Token> x) const {
    std::int64_t largest = -1;
    Token found = -1;
    for (; x.size() >= width(); x = x.subspan(width()))
      if (const std::int64_t here = value(x); here > largest) {
        largest = here;
        found = x[digits];
      }
    return {found};
  }

  /// The same by elimination, digit by digit, as far as `depth` digits; of several left the last.
  Symbols by_digits(std::span<const Token> x, std::size_t depth) const {
    std::vector<std::size_t> left;
    for (std::size_t item = 0; item + width() <= x.size(); item += width()) left.push_back(item);
    if (left.empty()) return {};
    for (std::size_t digit = 0; digit < depth; ++digit) {
      Token largest = -1;
      for (const std::size_t item : left) largest = std::max(largest, x[item + digit]);
      left.erase(std::remove_if(left.begin(), left.end(),
                                [&](std::size_t item) { return x[item + digit] != largest; }),
                 left.end());
    }
    return {x[left.back() + digits]};
  }
};

}  // namespace

TaskEntry max_retrieval() {
  const auto make = [](const Arguments& arguments) {
    const MaxRetrieval rules{static_cast<std::size_t>(arguments.integer("digits")),
                             static_cast<Token>(arguments.integer("classes"))};
    const auto width = static_cast<std::int64_t>(rules.width());
    Transduction task{
        .task = "max-retrieval",
        .symbols = base + rules.classes,
        .name =
            [](Token symbol) {
              return symbol < base ? std::to_string(symbol) : "c" + std::to_string(symbol - base);
            },
        .draw = [rules](Rng& rng, std::int64_t length,
                        Purpose purpose) { return rules.draw(rng, length, purpose); },
        .target = [rules](std::span<const Token> x) { return rules.by_value(x); },
        .oracle = [rules](std::span<const Token> x) { return rules.by_digits(x, rules.digits); },
        .x_symbols = [width](std::int64_t length) { return width * length; },
        .y_symbols = [](std::int64_t) { return 1; },
        .check =
            [rules](std::int64_t length) {
              // Beyond, the largest value would hardly ever be there once.
              if (math::pow(base, static_cast<double>(rules.digits)) < static_cast<double>(length))
                throw InputError("max-retrieval: length " + std::to_string(length) +
                                 " has more items than values of digits=" +
                                 std::to_string(rules.digits) + " digits; raise digits.");
            },
        .choices = rules.classes,
        .shortcuts = {{"last item", "the class of the last item",
                       [](std::span<const Token> x) {
                         return x.empty() ? Symbols() : Symbols{x.back()};
                       }},
                      {"most common class", "the class most common among the items",
                       [](std::span<const Token> x) {
                         Symbols classes;
                         std::copy_if(x.begin(), x.end(), std::back_inserter(classes),
                                      [](Token symbol) { return symbol >= base; });
                         return Symbols{most_common(classes)};
                       }}}};
    if (rules.digits > 1)
      task.shortcuts.push_back(
          {"first digit", "the last class of those with the largest first digit",
           [rules](std::span<const Token> x) { return rules.by_digits(x, 1); }});
    return make_transduction(std::move(task));
  };
  return {{.name = "max-retrieval",
           .summary = "the class of the item with the largest value: 4 7 c2 9 1 c5 ... SEP c5 EOS",
           .source = "Velickovic et al. 2024, arXiv 2410.01104",
           .parameters = {{.name = "digits",
                           .help = "digits of a value",
                           .default_value = "6",
                           .minimum = 1,
                           .maximum = 15},
                          {.name = "classes",
                           .help = "classes of items",
                           .default_value = "10",
                           .minimum = 2,
                           .maximum = 1024}}},
          make};
}

}  // namespace attnspan::tasks
