#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "task/haystack.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// RULER's variable tracking in tokens: statements `v = d` and `v = v`, each with a mark `;` before
/// it, scattered in noise; then `? d`. A chain starts with a value, and each of its further
/// variables takes the one before. The answer is every variable that holds the value, in the order
/// of the chain.
struct Tracking {
  std::int64_t variables, values, noise, chains;
  std::size_t hops;

  static constexpr Token statement = 0, equals = 1, question = 2, first = 3;
  static constexpr std::size_t width = 4;

  Token variable(std::size_t i) const { return first + static_cast<Token>(i); }
  Token value(std::size_t i) const {
    return first + static_cast<Token>(variables) + static_cast<Token>(i);
  }
  std::int64_t symbols() const { return first + variables + values + noise; }
  std::int64_t statements() const { return chains * static_cast<std::int64_t>(hops + 1); }

  Symbols draw(Rng& rng, std::int64_t length) const {
    const std::vector<std::size_t> names = draw_questions(rng, variables, statements());
    const std::vector<std::size_t> given = draw_questions(rng, values, chains);
    // Chains take turns in random order; each goes on where it stood.
    std::vector<std::size_t> next(given.size(), 0);
    std::int64_t left = statements();
    Symbols x;
    const auto say = [&] {
      auto turn = static_cast<std::int64_t>(rng.below(static_cast<std::uint32_t>(left--)));
      std::size_t chain = 0;
      while (turn >= static_cast<std::int64_t>(hops + 1 - next[chain]))
        turn -= static_cast<std::int64_t>(hops + 1 - next[chain++]);
      const std::size_t name = chain * (hops + 1) + next[chain]++;
      x.insert(x.end(), {statement, variable(names[name]), equals,
                         next[chain] == 1 ? value(given[chain]) : variable(names[name - 1])});
    };
    scatter(rng, statements(), length - statements() * static_cast<std::int64_t>(width), say, [&] {
      x.push_back(first + static_cast<Token>(variables + values) +
                  random_symbols(rng, 1, noise)[0]);
    });
    x.insert(x.end(), {question, value(given[rng.below(static_cast<std::uint32_t>(chains))])});
    return x;
  }

  /// Statements as pairs of a name and what it takes, in order.
  std::vector<std::pair<Token, Token>> read(std::span<const Token> x) const {
    std::vector<std::pair<Token, Token>> found;
    for (std::size_t i = 0; i + width <= x.size(); ++i)
      if (x[i] == statement && x[i + 2] == equals) found.emplace_back(x[i + 1], x[i + 3]);
    return found;
  }

  bool asks(std::span<const Token> x) const { return x.size() > 1 && x[x.size() - 2] == question; }

  /// Forward: which variables hold the value by now.
  Symbols by_holding(std::span<const Token> x) const {
    if (!asks(x)) return {};
    Symbols holders{x.back()};
    for (const auto& [name, taken] : read(x))
      if (std::find(holders.begin(), holders.end(), taken) != holders.end())
        holders.push_back(name);
    return {holders.begin() + 1, holders.end()};
  }

  /// The same: every variable traced back to the value it goes back to.
  Symbols by_tracing(std::span<const Token> x) const {
    if (!asks(x)) return {};
    std::map<Token, Token> origin;
    Symbols y;
    for (const auto& [name, taken] : read(x)) {
      const auto found = origin.find(taken);
      const Token root = found == origin.end() ? taken : found->second;
      origin[name] = root;
      if (root == x.back()) y.push_back(name);
    }
    return y;
  }

  /// As many as the answer has, in order of their statements, whatever they take.
  Symbols by_order(std::span<const Token> x) const {
    Symbols y;
    for (const auto& [name, taken] : read(x)) y.push_back(name);
    y.resize(std::min(y.size(), hops + 1));
    return y;
  }

  /// The variable that was given the value itself, all along.
  Symbols by_first(std::span<const Token> x) const {
    if (!asks(x)) return {};
    for (const auto& [name, taken] : read(x))
      if (taken == x.back()) return Symbols(hops + 1, name);
    return {};
  }

  std::string name(Token symbol) const {
    static const char* const marks[] = {";", "=", "?"};
    const std::int64_t number = symbol - first;
    return number < 0                    ? marks[symbol]
           : number < variables          ? "v" + std::to_string(number)
           : number < variables + values ? "d" + std::to_string(number - variables)
                                         : "n" + std::to_string(number - variables - values);
  }
};

}  // namespace

TaskEntry variable_tracking() {
  const auto make = [](const Arguments& arguments) {
    const Tracking rules{arguments.integer("variables"), arguments.integer("values"),
                         arguments.integer("noise"), arguments.integer("chains"),
                         static_cast<std::size_t>(arguments.integer("hops"))};
    Transduction task{
        .task = "variable-tracking",
        .symbols = rules.symbols(),
        .name = [rules](Token symbol) { return rules.name(symbol); },
        .draw = [rules](Rng& rng, std::int64_t length, Purpose) { return rules.draw(rng, length); },
        .target = [rules](std::span<const Token> x) { return rules.by_holding(x); },
        .oracle = [rules](std::span<const Token> x) { return rules.by_tracing(x); },
        .x_symbols = [](std::int64_t length) { return length + 2; },
        .y_symbols = [rules](std::int64_t) { return static_cast<std::int64_t>(rules.hops + 1); },
        .check =
            [rules](std::int64_t length) {
              if (rules.statements() > rules.variables)
                throw InputError("variable-tracking: " + std::to_string(rules.chains) +
                                 " chains of " + std::to_string(rules.hops) + " hops need " +
                                 std::to_string(rules.statements()) + " variables, but variables=" +
                                 std::to_string(rules.variables) + "; raise it.");
              if (rules.chains > rules.values)
                throw InputError("variable-tracking: " + std::to_string(rules.chains) +
                                 " chains need as many values, but values=" +
                                 std::to_string(rules.values) + "; raise it.");
              const std::int64_t needed =
                  rules.statements() * static_cast<std::int64_t>(Tracking::width);
              if (length < needed)
                throw InputError("variable-tracking: length " + std::to_string(length) +
                                 " has no room for " + std::to_string(rules.statements()) +
                                 " statements; use a length of at least " + std::to_string(needed) +
                                 ", or fewer chains or hops.");
            },
        .choices = rules.variables,
        .shortcuts = {{"no hops", "the variable that was given the value itself, all along",
                       [rules](std::span<const Token> x) { return rules.by_first(x); }}},
        .quantities =
            [rules](std::int64_t) {
              return std::vector<Quantity>{{"statements", rules.statements()}};
            }};
    // Of one chain, it would be the task itself.
    if (rules.chains > 1)
      task.shortcuts.push_back({"in order", "the first variables there are, whatever they take",
                                [rules](std::span<const Token> x) { return rules.by_order(x); }});
    return make_transduction(std::move(task));
  };
  return {
      {.name = "variable-tracking",
       .summary = "all variables that hold a value: ; v4 = d7 n2 ; v1 = v4 ... ? d7 SEP v4 v1 EOS",
       .source = "RULER, Hsieh et al. 2024, arXiv 2404.06654",
       .parameters = {{.name = "chains",
                       .help = "values given, each to a chain of variables",
                       .default_value = "1",
                       .minimum = 1,
                       .maximum = 1024},
                      {.name = "hops",
                       .help = "variables in a chain beside the first",
                       .default_value = "4",
                       .minimum = 1,
                       .maximum = 63},
                      {.name = "variables",
                       .help = "names that variables can have",
                       .default_value = "64",
                       .minimum = 2,
                       .maximum = 65536},
                      {.name = "values",
                       .help = "values that can be given",
                       .default_value = "64",
                       .minimum = 1,
                       .maximum = 65536},
                      {.name = "noise",
                       .help = "symbols that noise is made of",
                       .default_value = "16",
                       .minimum = 1,
                       .maximum = 65536}}},
      make};
}

}  // namespace attnspan::tasks
