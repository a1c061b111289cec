#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "task/haystack.hpp"
#include "task/task.hpp"

namespace attnspan::tasks {
namespace {

/// Needles `! k k v` hidden among noise tokens, then the question `? k k v` (v scored). Noise has
/// an alphabet of its own and all keys of a sample differ, so marker and key name exactly one
/// needle.
///
/// The other needles are the difficulty: a lone needle is found at any length by attending to its
/// marker. The needle asked for is placed first, at its depth, and the others and the noise are
/// spread before and behind it in proportion.
class Needle final : public Task {
 public:
  explicit Needle(const Arguments& arguments)
      : alphabet_(arguments.integer("alphabet")),
        noise_(arguments.integer("noise")),
        key_length_(arguments.integer("key_length")),
        value_length_(arguments.integer("value_length")),
        training_questions_(arguments.integer("training_questions")),
        depth_(arguments.text("depth") == "uniform" ? -1 : arguments.number("depth") / 100),
        needles_{"needle",
                 "needle",
                 1 + key_length_ + value_length_,
                 arguments.number("density"),
                 arguments.integer("needles"),
                 alphabet_,
                 key_length_} {}

  std::int32_t vocabulary_size() const override {
    return first_symbol + static_cast<std::int32_t>(alphabet_ + noise_);
  }

  std::string token_name(Token token) const override {
    if (token == marker) return "!";
    if (token == question) return "?";
    const std::int64_t letter = token - first_symbol;
    return letter < alphabet_ ? "s" + std::to_string(letter)
                              : "n" + std::to_string(letter - alphabet_);
  }

  void check_length(std::int64_t length) const override { needles_.check_length(length); }

  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    return length + questions(purpose) * needles_.width;
  }

  std::int64_t answer_tokens(std::int64_t, Purpose purpose) const override {
    return questions(purpose) * value_length_;
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const std::int64_t count = needles_.count(length);
    const std::vector<Word> keys = distinct_words(rng, count, alphabet_, key_length_);
    std::vector<Word> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(random_word(rng, alphabet_, value_length_));

    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    const auto append = [&](const Word& word) {
      for (const char16_t letter : word)
        tokens.push_back(first_symbol + static_cast<Token>(letter));
    };
    std::size_t next = 0;
    const auto append_needle = [&] {
      tokens.push_back(marker);
      append(keys[next]);
      append(values[next]);
      ++next;
    };
    const auto append_noise = [&] {
      tokens.push_back(static_cast<Token>(first_symbol + alphabet_ +
                                          rng.below(static_cast<std::uint32_t>(noise_))));
    };

    const std::int64_t last_start = length - needles_.width;
    const std::int64_t wanted_start = purpose == Purpose::evaluation && depth_ >= 0
                                          ? std::llround(depth_ * static_cast<double>(last_start))
                                          : rng.below(static_cast<std::uint32_t>(last_start + 1));
    const std::int64_t others = count - 1;
    const std::int64_t noise = length - count * needles_.width;
    const std::int64_t others_before =
        last_start == 0 ? 0 : (wanted_start * others + last_start / 2) / last_start;
    const std::int64_t noise_before =
        std::clamp<std::int64_t>(wanted_start - others_before * needles_.width, 0, noise);
    scatter(rng, others_before, noise_before, append_needle, append_noise);
    const auto start = static_cast<std::int64_t>(tokens.size());
    append_needle();
    scatter(rng, others - others_before, noise - noise_before, append_needle, append_noise);

    for (std::int64_t i = 0; i < questions(purpose); ++i) {
      const auto asked = static_cast<std::size_t>(
          i == 0 ? others_before : rng.below(static_cast<std::uint32_t>(count)));
      tokens.push_back(question);
      append(keys[asked]);
      for (std::size_t j = 0; j < values[asked].size(); ++j)
        sample.answers.push_back(static_cast<std::int32_t>(tokens.size() + j));
      append(values[asked]);
    }
    if (purpose == Purpose::evaluation)
      sample.depth_decile =
          last_start == 0 ? 0
                          : static_cast<int>(std::min<std::int64_t>(9, 10 * start / last_start));
    return sample;
  }

  // One pass: a marker teaches a key and its value, a question repeats what was taught.
  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    const auto key_length = static_cast<std::size_t>(key_length_);
    const auto width = static_cast<std::size_t>(needles_.width);
    std::map<std::vector<Token>, std::span<const Token>> taught;
    std::map<std::size_t, Token> filled;
    for (std::size_t p = 0; p + width <= hidden.size(); ++p) {
      if (hidden[p] != marker && hidden[p] != question) continue;
      const auto key_span = hidden.subspan(p + 1, key_length);
      const std::vector<Token> key(key_span.begin(), key_span.end());
      const std::size_t value_start = p + 1 + key_length;
      if (hidden[p] == marker) {
        taught[key] = hidden.subspan(value_start, width - 1 - key_length);
      } else if (const auto found = taught.find(key); found != taught.end()) {
        for (std::size_t i = 0; i < found->second.size(); ++i)
          filled[value_start + i] = found->second[i];
      }
    }
    std::vector<Token> right;
    for (const std::int32_t p : answers) {
      const auto found = filled.find(static_cast<std::size_t>(p));
      right.push_back(found == filled.end() ? -1 : found->second);
    }
    return right;
  }

  double chance(std::int64_t) const override {
    return std::pow(static_cast<double>(alphabet_), -static_cast<double>(value_length_));
  }

  double token_chance() const override { return 1.0 / static_cast<double>(alphabet_); }

 private:
  static constexpr Token marker = 0, question = 1, first_symbol = 2;

  std::int64_t questions(Purpose purpose) const {
    return purpose == Purpose::training ? training_questions_ : 1;
  }

  std::int64_t alphabet_;
  std::int64_t noise_;
  std::int64_t key_length_;
  std::int64_t value_length_;
  std::int64_t training_questions_;
  double depth_;  ///< 0 .. 1, or -1: uniform
  HaystackItems needles_;
};

}  // namespace

TaskEntry needle() {
  using Kind = ParameterSpec::Kind;
  return {{.name = "needle",
           .summary = "find one needle among many in noise: ! k k v ... ? k k v",
           .source = "after RULER, Hsieh et al. 2024, arXiv 2404.06654",
           .parameters =
               {{.name = "needles",
                 .help = "needles in the haystack; 0: as many as density says",
                 .default_value = "0",
                 .minimum = 0,
                 .maximum = longest_length},
                {.name = "density",
                 .help = "share of the haystack taken by needles, where needles=0",
                 .default_value = "0.5",
                 .kind = Kind::number,
                 .minimum = 0.001,
                 .maximum = 1},
                {.name = "key_length",
                 .help = "tokens in a key",
                 .default_value = "2",
                 .minimum = 1,
                 .maximum = 8},
                {.name = "value_length",
                 .help = "tokens in a value",
                 .default_value = "1",
                 .minimum = 1,
                 .maximum = 8},
                {.name = "alphabet",
                 .help = "symbols that keys and values are made of",
                 .default_value = "96",
                 .minimum = 2,
                 .maximum = 65536},
                {.name = "noise",
                 .help = "symbols that noise is made of",
                 .default_value = "16",
                 .minimum = 1,
                 .maximum = 65536},
                {.name = "depth",
                 .help = "where evaluation hides the needle asked for, in percent of the haystack",
                 .default_value = "uniform",
                 .kind = Kind::number,
                 .minimum = 0,
                 .maximum = 100,
                 .choices = {"uniform"}},
                {.name = "training_questions",
                 .help = "questions in a training sample; evaluation asks one",
                 .default_value = "8",
                 .minimum = 1,
                 .maximum = 4096}}},
          [](const Arguments& arguments) { return std::make_unique<Needle>(arguments); }};
}

}  // namespace attnspan::tasks
