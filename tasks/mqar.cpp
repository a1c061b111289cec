#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token blank = 0;

/// Multi-query associative recall as Zoology draws it: `pairs` pairs first, keys and values of a
/// sample all different, then slots of two tokens, of which each key takes one, slot k with a
/// weight of (k + 1)^(a - 1), a = 0.01: most queries come soon. A query's label is its value;
/// everything else is blank, since random fillers might be keys.
struct Mqar {
  std::int64_t pairs;
  Token keys, values;  ///< tokens 1 .. keys are keys, keys + 1 .. keys + values are values

  Symbols draw(Rng& rng, std::int64_t length) const {
    const std::vector<std::size_t> key = draw_questions(rng, keys, pairs);
    const std::vector<std::size_t> value = draw_questions(rng, values, pairs);
    Symbols x;
    for (std::size_t pair = 0; pair < key.size(); ++pair) {
      x.push_back(1 + static_cast<Token>(key[pair]));
      x.push_back(1 + keys + static_cast<Token>(value[pair]));
    }
    x.resize(static_cast<std::size_t>(length), blank);
    const std::vector<std::size_t> slots = draw_slots(rng, (length - 2 * pairs) / 2);
    for (std::size_t pair = 0; pair < key.size(); ++pair)
      x[2 * (key.size() + slots[pair])] = 1 + static_cast<Token>(key[pair]);
    return x;
  }

  /// One slot for each pair, drawn by weight without replacement: those of the smallest exponential
  /// times (Efraimidis and Spirakis 2006).
  std::vector<std::size_t> draw_slots(Rng& rng, std::int64_t count) const {
    std::vector<double> times;
    for (std::int64_t slot = 0; slot < count; ++slot)
      times.push_back(-math::log(rng.uniform()) *
                      math::pow(static_cast<double>(slot + 1), 1 - exponent));
    std::vector<std::size_t> order(times.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::partial_sort(order.begin(), order.begin() + pairs, order.end(),
                      [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
    order.resize(static_cast<std::size_t>(pairs));
    return order;
  }

  bool is_key(Token symbol) const { return symbol != blank && symbol <= keys; }
  std::size_t told(std::span<const Token> x) const {
    return std::min(x.size(), 2 * static_cast<std::size_t>(pairs));
  }

  /// Labels each query by answer(key, how many queries came before).
  template <class Answer>
  Symbols label_queries(std::span<const Token> x, const Answer& answer) const {
    Symbols y(x.size(), -1);
    std::size_t before = 0;
    for (std::size_t i = told(x); i < x.size(); ++i)
      if (is_key(x[i])) y[i] = answer(x[i], before++);
    return y;
  }

  /// By a table of all keys.
  Symbols by_table(std::span<const Token> x) const {
    std::vector<Token> value(static_cast<std::size_t>(keys) + 1, -1);
    for (std::size_t i = 0; i + 1 < told(x); i += 2)
      if (is_key(x[i])) value[static_cast<std::size_t>(x[i])] = x[i + 1];
    return label_queries(
        x, [&](Token key, std::size_t) { return value[static_cast<std::size_t>(key)]; });
  }

  /// The same by search: the last place among the pairs where the key stands.
  Symbols by_search(std::span<const Token> x) const {
    const auto pairs_told = x.first(told(x));
    return label_queries(x, [&](Token key, std::size_t) {
      for (std::size_t i = pairs_told.size(); i-- > 0;)
        if (pairs_told[i] == key && i % 2 == 0 && i + 1 < pairs_told.size())
          return pairs_told[i + 1];
      return Token{-1};
    });
  }

  /// Where the value stands that is told for the key at x[i].
  std::vector<std::size_t> evidence(std::span<const Token> x, std::size_t i) const {
    for (std::size_t k = 0; k + 1 < told(x); k += 2)
      if (x[k] == x[i]) return {k + 1};
    return {};
  }

  /// Wrong values by how near to the right one they were told.
  std::vector<Lure> lures(std::span<const Token> x, std::size_t i) const {
    const std::vector<std::size_t> right = evidence(x, i);
    std::vector<Lure> found;
    for (std::size_t k = 1; k < told(x) && !right.empty(); k += 2)
      found.push_back({x[k], 1, k + 2 == right[0] ? 1u : k == right[0] + 2 ? 2u : 4u});
    return found;
  }

  static constexpr double exponent = 0.01;
};

}  // namespace

TaskEntry mqar() {
  const auto make = [](const Arguments& arguments) {
    const std::int64_t pairs = arguments.integer("pairs");
    const auto half = static_cast<Token>(arguments.integer("vocabulary") / 2);
    const Mqar rules{pairs, half - 1, half};
    return make_transduction(
        {.task = "mqar",
         .symbols = 1 + rules.keys + rules.values,
         .name =
             [rules](Token symbol) {
               return symbol == blank        ? "_"
                      : rules.is_key(symbol) ? "k" + std::to_string(symbol - 1)
                                             : "v" + std::to_string(symbol - 1 - rules.keys);
             },
         .layout = Transduction::Layout::each,
         .draw = [rules](Rng& rng, std::int64_t length,
                         Purpose) { return rules.draw(rng, length); },
         .target = [rules](std::span<const Token> x) { return rules.by_table(x); },
         .oracle = [rules](std::span<const Token> x) { return rules.by_search(x); },
         .y_symbols = [pairs](std::int64_t) { return pairs; },
         .check =
             [rules, pairs](std::int64_t length) {
               if (pairs > rules.keys)
                 throw InputError("mqar: vocabulary=" + std::to_string(2 * rules.values) +
                                  " gives only " + std::to_string(rules.keys) + " keys for " +
                                  std::to_string(pairs) +
                                  " pairs; raise vocabulary or lower pairs.");
               if (length < 4 * pairs)
                 throw InputError("mqar: length " + std::to_string(length) + " has no room for " +
                                  std::to_string(pairs) +
                                  " pairs and as many queries; use a length of at least " +
                                  std::to_string(4 * pairs) + " or fewer pairs.");
             },
         .choices = rules.values,
         .shortcuts = {{"last value", "the value told last, whatever its key",
                        [rules](std::span<const Token> x) {
                          const std::size_t told = rules.told(x);
                          return rules.label_queries(
                              x, [&](Token, std::size_t) { return told == 0 ? -1 : x[told - 1]; });
                        }},
                       {"in order", "the i-th value told to the i-th query",
                        [rules](std::span<const Token> x) {
                          return rules.label_queries(x, [&](Token, std::size_t before) {
                            return 2 * before + 1 < rules.told(x) ? x[2 * before + 1] : -1;
                          });
                        }}},
         .evidence = [rules](std::span<const Token> x,
                             std::size_t i) { return rules.evidence(x, i); },
         .confusions = {{{"the value told before it", "the value told after it",
                          "a value told elsewhere"},
                         "no value of this sample",
                         "the values of the sample",
                         [rules](std::span<const Token> x, std::span<const Token>, std::size_t i) {
                           return rules.lures(x, i);
                         }}},
         .quantities =
             [pairs](std::int64_t) {
               return std::vector<Quantity>{{"pairs", pairs}};
             }});
  };
  return {
      {.name = "mqar",
       .summary = "pairs first, then each key once, its value as label: k3 v8 k5 v1 _ k5 [v1] ...",
       .source = "Arora et al. 2023 (Zoology), arXiv 2312.04927",
       .parameters = {{.name = "pairs",
                       .help = "pairs, and as many queries, whatever the length",
                       .default_value = "8",
                       .minimum = 1,
                       .maximum = 32767},
                      {.name = "vocabulary",
                       .help = "tokens: a blank, and keys and values in halves",
                       .default_value = "8192",
                       .minimum = 4,
                       .maximum = 65536}}},
      make};
}

}  // namespace attnspan::tasks
