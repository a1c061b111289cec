#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// x is a text of random symbols, the mark `?`, and the n-gram asked for; y is the symbol that
/// stands behind it in the text (find=next) or before it (find=previous). The n-gram stands there
/// once.
struct NgramLookup {
  std::int64_t symbols;
  std::size_t gram;
  bool next;

  Token mark() const { return static_cast<Token>(symbols); }

  /// Where the n-gram may start in a text, so that there is something next to it.
  std::size_t first_start() const { return next ? 0 : 1; }
  std::size_t last_start(std::size_t text) const { return text - gram - (next ? 1 : 0); }

  Symbols draw(Rng& rng, std::int64_t length) const {
    for (;;) {
      Symbols x = random_symbols(rng, length, symbols);
      const std::size_t first = first_start(), last = last_start(x.size());
      const std::size_t start = first + rng.below(static_cast<std::uint32_t>(last - first + 1));
      const Symbols asked(x.begin() + static_cast<std::ptrdiff_t>(start),
                          x.begin() + static_cast<std::ptrdiff_t>(start + gram));
      const auto once = std::search(x.begin(), x.end(), asked.begin(), asked.end());
      if (std::search(once + 1, x.end(), asked.begin(), asked.end()) != x.end()) continue;
      x.push_back(mark());
      x.insert(x.end(), asked.begin(), asked.end());
      return x;
    }
  }

  struct Parts {
    std::span<const Token> text, asked;
  };
  Parts take_apart(std::span<const Token> x) const {
    const auto at = static_cast<std::size_t>(std::find(x.begin(), x.end(), mark()) - x.begin());
    if (at + 1 + gram != x.size()) return {};
    return {x.first(at), x.last(gram)};
  }

  Symbols beside(std::span<const Token> text, std::size_t start, std::size_t width) const {
    if (next) return start + width < text.size() ? Symbols{text[start + width]} : Symbols();
    return start > 0 ? Symbols{text[start - 1]} : Symbols();
  }

  Symbols by_search(std::span<const Token> x) const {
    const auto [text, asked] = take_apart(x);
    const auto found = std::search(text.begin(), text.end(), asked.begin(), asked.end());
    if (asked.empty() || found == text.end()) return {};
    return beside(text, static_cast<std::size_t>(found - text.begin()), gram);
  }

  /// The same by narrowing down: places where the first `depth` symbols match, one after another;
  /// of several left the last. `skip` leaves out symbols of the n-gram at its beginning.
  Symbols by_narrowing(std::span<const Token> x, std::size_t skip, std::size_t depth) const {
    const Parts parts = take_apart(x);
    const std::span<const Token> text = parts.text, asked = parts.asked;
    if (asked.empty() || text.size() < gram) return {};
    std::vector<std::size_t> left;
    for (std::size_t start = 0; start + gram <= text.size(); ++start)
      if (!beside(text, start, gram).empty()) left.push_back(start);
    for (std::size_t i = skip; i < skip + depth; ++i)
      left.erase(std::remove_if(left.begin(), left.end(),
                                [&](std::size_t start) { return text[start + i] != asked[i]; }),
                 left.end());
    return left.empty() ? Symbols() : beside(text, left.back(), gram);
  }
};

/// Entries of a name of `gram` symbols and a number of digits, then a name; y is its number.
struct PhoneBook {
  std::int64_t symbols;
  std::size_t gram, digits;

  Token mark() const { return static_cast<Token>(symbols); }
  Token digit(Token value) const { return mark() + 1 + value; }
  std::size_t width() const { return gram + digits; }

  Symbols draw(Rng& rng, std::int64_t length) const {
    const auto entries = static_cast<std::int64_t>(static_cast<std::size_t>(length) / width());
    const std::vector<Word> names =
        distinct_words(rng, entries, symbols, static_cast<std::int64_t>(gram));
    Symbols x;
    for (const Word& name : names) {
      append_word(x, name, 0);
      for (std::size_t i = 0; i < digits; ++i)
        x.push_back(digit(static_cast<Token>(rng.below(10))));
    }
    x.push_back(mark());
    append_word(x, names[rng.below(static_cast<std::uint32_t>(entries))], 0);
    return x;
  }

  /// The number of the entry whose name agrees with the one asked for from `skip` on.
  Symbols by_entry(std::span<const Token> x, std::size_t skip, std::size_t depth) const {
    if (x.size() < width() + 1 + gram || (x.size() - 1 - gram) % width() != 0 ||
        x[x.size() - 1 - gram] != mark())
      return {};
    const auto asked = x.last(gram).subspan(skip, depth);
    for (std::size_t start = x.size() - 1 - gram; start >= width();) {
      start -= width();
      if (std::equal(asked.begin(), asked.end(),
                     x.begin() + static_cast<std::ptrdiff_t>(start + skip)))
        return {x.begin() + static_cast<std::ptrdiff_t>(start + gram),
                x.begin() + static_cast<std::ptrdiff_t>(start + width())};
    }
    return {};
  }

  /// The same from the text as it is: the name, then digits.
  Symbols by_search(std::span<const Token> x) const {
    const auto at = static_cast<std::size_t>(std::find(x.begin(), x.end(), mark()) - x.begin());
    if (at + 1 + gram != x.size()) return {};
    const auto text = x.first(at), asked = x.last(gram);
    const auto found = std::search(text.begin(), text.end(), asked.begin(), asked.end());
    if (text.end() - found < static_cast<std::ptrdiff_t>(width())) return {};
    const auto number = found + static_cast<std::ptrdiff_t>(gram);
    return {number, number + static_cast<std::ptrdiff_t>(digits)};
  }
};

std::unique_ptr<Task> make_phone_book(const Arguments& arguments) {
  const PhoneBook rules{arguments.integer("symbols"),
                        static_cast<std::size_t>(arguments.integer("gram")),
                        static_cast<std::size_t>(arguments.integer("digits"))};
  Transduction task{
      .task = "ngram-lookup",
      .symbols = rules.symbols + 11,
      .name =
          [rules](Token symbol) {
            return symbol < rules.mark()    ? "s" + std::to_string(symbol)
                   : symbol == rules.mark() ? "?"
                                            : std::to_string(symbol - rules.mark() - 1);
          },
      .draw = [rules](Rng& rng, std::int64_t length, Purpose) { return rules.draw(rng, length); },
      .target = [rules](std::span<const Token> x) { return rules.by_entry(x, 0, rules.gram); },
      .oracle = [rules](std::span<const Token> x) { return rules.by_search(x); },
      .x_symbols =
          [rules](std::int64_t length) {
            return length + 1 + static_cast<std::int64_t>(rules.gram);
          },
      .y_symbols = [rules](std::int64_t) { return static_cast<std::int64_t>(rules.digits); },
      .check =
          [rules](std::int64_t length) {
            const std::int64_t entries = length / static_cast<std::int64_t>(rules.width());
            const std::string at_length = "ngram-lookup: length " + std::to_string(length) + " ";
            if (entries < 1)
              throw InputError(at_length + "has no room for an entry of " +
                               std::to_string(rules.width()) + " tokens; use a longer one.");
            if (static_cast<double>(entries) >
                math::pow(static_cast<double>(rules.symbols), static_cast<double>(rules.gram)))
              throw InputError(at_length +
                               "holds more entries than there are names; raise symbols "
                               "or gram.");
          },
      .choices = 10,
      .shortcuts = {{"last number", "the number of the last entry",
                     [rules](std::span<const Token> x) { return rules.by_entry(x, 0, 0); }}},
      .quantities =
          [rules](std::int64_t length) {
            return std::vector<Quantity>{
                {"entries", length / static_cast<std::int64_t>(rules.width())}};
          }};
  if (rules.gram > 1) {
    task.shortcuts.push_back(
        {"first symbol", "the last entry with the same first symbol",
         [rules](std::span<const Token> x) { return rules.by_entry(x, 0, 1); }});
    task.shortcuts.push_back(
        {"last symbol", "the last entry with the same last symbol",
         [rules](std::span<const Token> x) { return rules.by_entry(x, rules.gram - 1, 1); }});
  }
  return make_transduction(std::move(task));
}

std::unique_ptr<Task> make_text(const Arguments& arguments) {
  const NgramLookup rules{arguments.integer("symbols"),
                          static_cast<std::size_t>(arguments.integer("gram")),
                          arguments.text("find") == "next"};
  const auto gram = static_cast<std::int64_t>(rules.gram);
  Transduction task{
      .task = "ngram-lookup",
      .symbols = rules.symbols + 1,
      .name =
          [rules](Token symbol) {
            return symbol == rules.mark() ? "?" : "s" + std::to_string(symbol);
          },
      .draw = [rules](Rng& rng, std::int64_t length, Purpose) { return rules.draw(rng, length); },
      .target = [rules](std::span<const Token> x) { return rules.by_search(x); },
      .oracle = [rules](std::span<const Token> x) { return rules.by_narrowing(x, 0, rules.gram); },
      .x_symbols = [gram](std::int64_t length) { return length + 1 + gram; },
      .y_symbols = [](std::int64_t) { return 1; },
      .check =
          [rules, gram](std::int64_t length) {
            const std::string at_length = "ngram-lookup: length " + std::to_string(length) + " ";
            if (length < gram + 1)
              throw InputError(at_length + "has no room for " + std::to_string(gram) +
                               " symbols and the one next to them; use a length of at least " +
                               std::to_string(gram + 1) + ".");
            // Beyond, hardly any n-gram would stand there only once.
            if (static_cast<double>(length) >
                math::pow(static_cast<double>(rules.symbols), static_cast<double>(gram)))
              throw InputError(at_length + "is more than the " + std::to_string(rules.symbols) +
                               "^" + std::to_string(gram) +
                               " n-grams there are; raise symbols or "
                               "gram.");
          },
      .choices = rules.symbols,
      .shortcuts = {{"most common symbol", "the symbol most common in the text",
                     [rules](std::span<const Token> x) {
                       return Symbols{most_common(rules.take_apart(x).text)};
                     }}}};
  if (rules.gram > 1) {
    task.shortcuts.push_back(
        {"first symbol", "next to where the first symbol last stood",
         [rules](std::span<const Token> x) { return rules.by_narrowing(x, 0, 1); }});
    task.shortcuts.push_back(
        {"last symbol", "next to where the last symbol last stood",
         [rules](std::span<const Token> x) { return rules.by_narrowing(x, rules.gram - 1, 1); }});
  }
  return make_transduction(std::move(task));
}

}  // namespace

TaskEntry ngram_lookup() {
  return {{.name = "ngram-lookup",
           .summary = "what stands next to an n-gram: BOS s4 s1 s9 s7 ... ? s1 s9 SEP s7 EOS",
           .source = "Jelassi et al. 2024, arXiv 2402.01032",
           .parameters = {{.name = "find",
                           .help = "next: what follows; previous: what comes before; number: text "
                                   "is a phone book of names and numbers",
                           .default_value = "next",
                           .kind = ParameterSpec::Kind::choice,
                           .choices = {"next", "previous", "number"}},
                          symbols_parameter("64"),
                          {.name = "gram",
                           .help = "symbols in the n-gram, or in a name",
                           .default_value = "3",
                           .minimum = 1,
                           .maximum = 8},
                          {.name = "digits",
                           .help = "digits of a number, where find=number",
                           .default_value = "4",
                           .minimum = 1,
                           .maximum = 16}}},
          [](const Arguments& arguments) {
            return arguments.text("find") == "number" ? make_phone_book(arguments)
                                                      : make_text(arguments);
          }};
}

}  // namespace attnspan::tasks
