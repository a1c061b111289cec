#include "task/transduction.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace attnspan {
namespace {

class Transduction final : public Task {
 public:
  Transduction(std::string name, std::int64_t symbols, Transduce target, Transduce oracle)
      : name_(std::move(name)),
        symbols_(static_cast<std::int32_t>(symbols)),
        target_(target),
        oracle_(oracle) {}

  std::int32_t vocabulary_size() const override { return first_symbol + symbols_; }

  std::string token_name(Token token) const override {
    static const char* const specials[] = {"BOS", "SEP", "EOS"};
    return token < first_symbol ? specials[token] : "s" + std::to_string(token - first_symbol);
  }

  void check_length(std::int64_t length) const override { check_length_range(name_, length); }

  std::int64_t total_tokens(std::int64_t length, Purpose) const override { return 2 * length + 3; }

  std::int64_t answer_tokens(std::int64_t length, Purpose) const override { return length + 1; }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    tokens.push_back(bos);
    for (std::int64_t i = 0; i < length; ++i)
      tokens.push_back(first_symbol +
                       static_cast<Token>(rng.below(static_cast<std::uint32_t>(symbols_))));
    const std::vector<Token> y = target_({tokens.begin() + 1, tokens.end()});
    tokens.push_back(sep);
    for (const Token symbol : y) {
      sample.answers.push_back(static_cast<std::int32_t>(tokens.size()));
      tokens.push_back(symbol);
    }
    sample.answers.push_back(static_cast<std::int32_t>(tokens.size()));
    tokens.push_back(eos);
    return sample;
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    std::vector<Token> right(answers.size(), -1);
    const auto separator = std::find(hidden.begin(), hidden.end(), sep);
    const auto start = std::find(hidden.begin(), separator, bos);
    if (separator == hidden.end() || start == separator) return right;
    std::vector<Token> y = oracle_({start + 1, separator});
    y.push_back(eos);
    const auto first = separator - hidden.begin() + 1;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto offset = answers[i] - first;
      if (offset >= 0 && offset < std::ssize(y)) right[i] = y[static_cast<std::size_t>(offset)];
    }
    return right;
  }

  // EOS is the only token that can stand at its place, so a guesser of symbols is given it.
  double chance(std::int64_t length) const override {
    return std::pow(symbols_, -static_cast<double>(length));
  }

  double token_chance() const override { return 1.0 / symbols_; }

 private:
  static constexpr Token bos = 0, sep = 1, eos = 2, first_symbol = 3;

  std::string name_;
  std::int32_t symbols_;
  Transduce target_;
  Transduce oracle_;
};

}  // namespace

TaskEntry transduction_entry(std::string name, std::string summary, Transduce target,
                             Transduce oracle) {
  const auto make = [name, target, oracle](const Arguments& arguments) {
    return std::make_unique<Transduction>(name, arguments.integer("symbols"), target, oracle);
  };
  return {{.name = std::move(name),
           .summary = std::move(summary),
           .source = "arXiv 2506.16640",
           .parameters = {{.name = "symbols",
                           .help = "size of the alphabet",
                           .default_value = "32",
                           .minimum = 2,
                           .maximum = 65536}}},
          make};
}

}  // namespace attnspan
