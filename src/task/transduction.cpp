#include "task/transduction.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/shortcuts.hpp"
#include "task/training_share.hpp"

namespace attnspan {
namespace {

using Layout = Transduction::Layout;

/// How often each symbol comes.
std::map<Token, double> occurrences(std::span<const Token> symbols) {
  std::map<Token, double> counts;
  for (const Token symbol : symbols) counts[symbol] += 1;
  return counts;
}

class TransductionTask final : public Task {
 public:
  explicit TransductionTask(Transduction rules) : rules_(std::move(rules)) {
    const auto same = [](std::int64_t length) { return length; };
    if (!rules_.x_symbols) rules_.x_symbols = same;
    if (!rules_.y_symbols) rules_.y_symbols = same;
  }

  std::int32_t vocabulary_size() const override {
    return first_symbol + static_cast<std::int32_t>(rules_.symbols);
  }

  std::string token_name(Token token) const override {
    static const char* const specials[] = {"BOS", "SEP", "EOS"};
    if (token < first_symbol) return specials[token];
    return rules_.name ? rules_.name(token - first_symbol)
                       : "s" + std::to_string(token - first_symbol);
  }

  void check_length(std::int64_t length) const override {
    check_length_range(rules_.task, length);
    if (rules_.check) rules_.check(length);
  }

  std::int64_t total_tokens(std::int64_t length, Purpose) const override {
    const std::int64_t x = rules_.x_symbols(length), y = rules_.y_symbols(length);
    switch (rules_.layout) {
      case Layout::after:
        return x + y + 3;
      case Layout::next:
        return x + y + 1;
      default:
        return x + 2;
    }
  }

  std::int64_t answer_tokens(std::int64_t length, Purpose) const override {
    return rules_.y_symbols(length) + (rules_.layout == Layout::after ? 1 : 0);
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const Symbols x = rules_.draw(rng, length, purpose);
    const Symbols y = rules_.target(x);
    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    tokens.push_back(bos);
    for (const Token symbol : x) tokens.push_back(first_symbol + symbol);
    if (rules_.layout == Layout::each) {
      tokens.push_back(eos);
      for (std::size_t i = 0; i < y.size(); ++i) {
        if (y[i] < 0) continue;
        sample.answers.push_back(static_cast<std::int32_t>(i + 2));
        sample.targets.push_back(first_symbol + y[i]);
      }
      return sample;
    }
    if (rules_.layout == Layout::after) tokens.push_back(sep);
    const std::size_t first = tokens.size();
    for (const Token symbol : y) tokens.push_back(first_symbol + symbol);
    if (rules_.layout == Layout::after) tokens.push_back(eos);
    for (std::size_t p = first; p < tokens.size(); ++p)
      sample.answers.push_back(static_cast<std::int32_t>(p));
    return sample;
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return answer(rules_, rules_.oracle, hidden, answers);
  }

  std::vector<Shortcut> shortcuts() const override {
    std::vector<Shortcut> found;
    for (const Transduction::Guess& guess : rules_.shortcuts)
      found.push_back({guess.name, guess.summary,
                       [rules = rules_, y = guess.y](std::span<const Token> hidden,
                                                     std::span<const std::int32_t> answers) {
                         return answer(rules, y, hidden, answers);
                       }});
    return found;
  }

  std::vector<std::int32_t> evidence(const Sample& sample, std::size_t answer) const override {
    std::vector<std::int32_t> places;
    if (!rules_.evidence) return places;
    const auto [x, y] = parts_of(rules_, sample);
    const std::size_t i = place_in_y(rules_, sample, answer);
    if (i >= y.size()) return places;
    for (const std::size_t place : rules_.evidence(x, i))
      places.push_back(static_cast<std::int32_t>(place) + 1);
    return places;
  }

  std::optional<Confusions> confusions() const override {
    if (!rules_.confusions) return {};
    Confusions found{rules_.confusions->kinds, rules_.confusions->otherwise,
                     rules_.confusions->guess,
                     [rules = rules_](const Sample& sample, std::size_t answer) {
                       return lures_of(rules, sample, answer);
                     }};
    if (rules_.layout == Layout::after) {
      found.kinds.emplace_back("ends too early");
      found.kinds.emplace_back("goes on after the end");
    }
    return found;
  }

  // EOS is the only token that can stand at its place, so a guesser of symbols is given it.
  double chance(std::int64_t length) const override {
    if (rules_.chance) return rules_.chance(length);
    return math::pow(static_cast<double>(rules_.choices),
                     -static_cast<double>(rules_.y_symbols(length)));
  }

  std::vector<Quantity> quantities(std::int64_t length) const override {
    return rules_.quantities ? rules_.quantities(length) : std::vector<Quantity>();
  }

  double token_chance() const override { return 1.0 / static_cast<double>(rules_.choices); }

 private:
  static constexpr Token bos = 0, sep = 1, eos = 2, first_symbol = 3;

  /// Finds x, turns it into y, and says what of y belongs at the answers.
  static std::vector<Token> answer(const Transduction& rules, const Transduce& transduce,
                                   std::span<const Token> hidden,
                                   std::span<const std::int32_t> answers) {
    std::vector<Token> right(answers.size(), -1);
    if (hidden.empty() || hidden[0] != bos) return right;
    const Token end = rules.layout == Layout::after ? sep : rules.layout == Layout::each ? eos : -1;
    const auto stop = std::find(hidden.begin(), hidden.end(), end);
    // Where nothing closes x, what is there of it is all there is.
    if (stop == hidden.end() && rules.layout == Layout::after) return right;
    Symbols x;
    for (auto token = hidden.begin() + 1; token < stop; ++token) {
      if (*token < first_symbol) return right;
      x.push_back(*token - first_symbol);
    }
    Symbols y = transduce(x);
    if (y.empty()) return right;
    // Position of y's first answer; a label is predicted where its symbol has been read.
    const auto first = rules.layout == Layout::each
                           ? std::ptrdiff_t{2}
                           : stop - hidden.begin() + (rules.layout == Layout::after ? 1 : 0);
    if (rules.layout == Layout::after) y.push_back(eos - first_symbol);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto place = answers[i] - first;
      if (place < 0 || place >= std::ssize(y)) continue;
      const Token symbol = y[static_cast<std::size_t>(place)];
      const bool is_end = rules.layout == Layout::after && place + 1 == std::ssize(y);
      if (symbol >= 0 || is_end) right[i] = symbol + first_symbol;
    }
    return right;
  }

  /// x and y of a whole sample: y as it stands there or, with a label each, in x's places.
  static std::pair<Symbols, Symbols> parts_of(const Transduction& rules, const Sample& sample) {
    const auto begin = sample.tokens.begin() + 1;
    const auto first = static_cast<std::ptrdiff_t>(sample.answers.front());
    const auto end = rules.layout == Layout::each
                         ? sample.tokens.end() - 1
                         : sample.tokens.begin() + first - (rules.layout == Layout::after ? 1 : 0);
    std::pair<Symbols, Symbols> parts{Symbols(begin, end), {}};
    for (Token& symbol : parts.first) symbol -= first_symbol;
    if (rules.layout == Layout::each) parts.second.resize(parts.first.size(), -1);
    for (std::size_t i = 0; i < sample.answers.size(); ++i) {
      const Token symbol = sample.target(i) - first_symbol;
      if (rules.layout == Layout::each)
        parts.second[static_cast<std::size_t>(sample.answers[i]) - 2] = symbol;
      else if (symbol >= 0)
        parts.second.push_back(symbol);
    }
    return parts;
  }

  /// Labels stand in x's places.
  static std::size_t place_in_y(const Transduction& rules, const Sample& sample,
                                std::size_t answer) {
    return rules.layout == Layout::each ? static_cast<std::size_t>(sample.answers[answer]) - 2
                                        : answer;
  }

  static std::vector<Lure> lures_of(const Transduction& rules, const Sample& sample,
                                    std::size_t answer) {
    const auto [x, y] = parts_of(rules, sample);
    const Transduction::Kinds& own = *rules.confusions;
    const std::uint32_t ends = std::uint32_t{1} << own.kinds.size(), goes_on = ends << 1;
    std::vector<Lure> lures;
    if (rules.layout == Layout::after && answer == y.size()) {
      for (const auto& [symbol, count] : occurrences(x)) lures.push_back({symbol, count, goes_on});
    } else {
      lures = own.lures(x, y, place_in_y(rules, sample, answer));
    }
    for (Lure& lure : lures) lure.token += first_symbol;
    if (rules.layout == Layout::after && answer < y.size()) lures.push_back({eos, 0, ends});
    return lures;
  }

  Transduction rules_;
};

}  // namespace

std::unique_ptr<Task> make_transduction(Transduction transduction) {
  return std::make_unique<TransductionTask>(std::move(transduction));
}

Symbols random_symbols(Rng& rng, std::int64_t length, std::int64_t symbols) {
  Symbols x(static_cast<std::size_t>(length));
  for (Token& symbol : x)
    symbol = static_cast<Token>(rng.below(static_cast<std::uint32_t>(symbols)));
  return x;
}

Symbols DrawSymbols::operator()(Rng& rng, std::int64_t length, Purpose purpose) const {
  if (!is_of_share(rng, crowded, purpose)) return random_symbols(rng, length, symbols);
  const auto quarter = static_cast<std::uint32_t>(std::max<std::int64_t>(symbols / 4, 2));
  const std::vector<Word> chosen = distinct_words(rng, 2 + rng.below(quarter - 1), symbols, 1);
  Symbols x = random_symbols(rng, length, std::ssize(chosen));
  for (Token& symbol : x) symbol = chosen[static_cast<std::size_t>(symbol)][0];
  return x;
}

ParameterSpec crowded_parameter() {
  return training_share_parameter("crowded",
                                  "with few symbols (2 to a quarter of them, chosen anew)");
}

ParameterSpec symbols_parameter(const std::string& default_value) {
  return {.name = "symbols",
          .help = "size of the alphabet",
          .default_value = default_value,
          .minimum = 2,
          .maximum = 65536};
}

Transduction::Guess most_common_guess() {
  return {"most common symbol", "the symbol most common in x, all along",
          [](std::span<const Token> x) { return Symbols(x.size(), most_common(x)); }};
}

Transduction::Guess follow_guess(bool first) {
  const std::string which = first ? "first" : "last";
  return {"follow the " + which, "what followed the symbol before where it stood " + which,
          [first](std::span<const Token> x) {
            std::map<Token, Token> next;
            for (std::size_t i = 0; i + 1 < x.size(); ++i)
              if (!first || next.count(x[i]) == 0) next[x[i]] = x[i + 1];
            Symbols y(x.begin(), x.begin() + (x.empty() ? 0 : 1));
            while (y.size() < x.size()) {
              const auto found = next.find(y.back());
              y.push_back(found == next.end() ? y.back() : found->second);
            }
            return y;
          }};
}

Transduction::Guess same_symbol_guess() {
  return {"same symbol", "the symbol itself",
          [](std::span<const Token> x) { return Symbols(x.begin(), x.end()); }};
}

Transduction::Kinds jumps() {
  constexpr std::size_t longest = 4;
  return {{"another symbol of the sequence", "follows the last symbol elsewhere",
           "follows the last 2 symbols elsewhere", "follows the last 3 symbols elsewhere",
           "follows the last 4 or more elsewhere"},
          "no symbol of the sequence",
          "the symbols of the sequence",
          [](std::span<const Token>, std::span<const Token> y, std::size_t i) {
            struct Place {
              std::size_t same = 0;
              double count = 0;
            };
            std::map<Token, Place> places;
            for (std::size_t k = 0; k < y.size(); ++k) {
              std::size_t same = 0;
              while (same < std::min({i, k, longest}) && y[i - 1 - same] == y[k - 1 - same]) ++same;
              if (k == i) continue;
              Place& place = places[y[k]];
              place.same = std::max(place.same, same);
              place.count += 1;
            }
            std::vector<Lure> lures;
            for (const auto& [symbol, place] : places)
              lures.push_back({symbol, place.count, std::uint32_t{1} << place.same});
            return lures;
          }};
}

Transduction::Kinds misplacements() {
  return {
      {"off by 1 place", "off by 2 or 3 places", "off by 4 to 7 places", "off by 8 places or more"},
      "no symbol of the sequence",
      "the symbols of the sequence",
      [](std::span<const Token>, std::span<const Token> y, std::size_t i) {
        std::map<Token, std::size_t> nearest;
        for (std::size_t k = 0; k < y.size(); ++k) {
          const std::size_t off = k < i ? i - k : k - i;
          const auto [found, is_new] = nearest.try_emplace(y[k], off);
          if (!is_new) found->second = std::min(found->second, off);
        }
        std::vector<Lure> lures;
        for (const auto& [symbol, count] : occurrences(y)) {
          const std::size_t off = nearest[symbol];
          const int kind = off < 2 ? 0 : off < 4 ? 1 : off < 8 ? 2 : 3;
          lures.push_back({symbol, count, std::uint32_t{1} << kind});
        }
        return lures;
      }};
}

}  // namespace attnspan
