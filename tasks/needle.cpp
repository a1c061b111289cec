#include <algorithm>
#include <cmath>
#include <string>

#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/lookup.hpp"
#include "task/task.hpp"

namespace attnspan::tasks {
namespace {

/// Needles `! k k v` hidden among noise tokens, then the question `? k k v` (v scored). Noise has
/// an alphabet of its own and all keys of a sample differ, so marker and key name exactly one
/// needle. The other needles are the difficulty: a lone needle is found at any length by attending
/// to its marker. With density=1 the haystack is all needles.
///
/// Needles and noise tokens come in an order drawn uniformly, and the needle asked for is any of
/// them: its rank among the needles is uniform, exactly, and so is its rank among needles and noise
/// tokens together. Its depth, counted in tokens, is so only up to how many needles happen to come
/// before it. A fixed depth decides the rank: the needle asked for is placed there, and the others
/// and the noise are spread before and behind it in proportion.
class Needle final : public Task {
 public:
  explicit Needle(const Arguments& arguments)
      : needles_(haystack_items("needle", "needle", 1, arguments)),
        noise_(arguments.integer("noise")),
        training_questions_(arguments.integer("training_questions")),
        depth_(arguments.text("depth") == "uniform" ? -1 : arguments.number("depth") / 100) {}

  std::int32_t vocabulary_size() const override {
    return first_symbol + static_cast<std::int32_t>(needles_.alphabet + noise_);
  }

  std::string token_name(Token token) const override {
    if (token == marker) return "!";
    if (token == question) return "?";
    const std::int64_t letter = token - first_symbol;
    return letter < needles_.alphabet ? "s" + std::to_string(letter)
                                      : "n" + std::to_string(letter - needles_.alphabet);
  }

  void check_length(std::int64_t length) const override { needles_.check_length(length); }

  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    return length + questions(purpose) * needles_.width;
  }

  std::int64_t answer_tokens(std::int64_t, Purpose purpose) const override {
    return questions(purpose) * needles_.value_length;
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const Dictionary drawn = needles_.draw(rng, length, purpose);
    const auto count = static_cast<std::int64_t>(drawn.keys.size());
    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    std::vector<std::int64_t> starts;
    const auto append_needle = [&] {
      const std::size_t next = starts.size();
      starts.push_back(std::ssize(tokens));
      tokens.push_back(marker);
      append_word(tokens, drawn.keys[next], first_symbol);
      append_word(tokens, drawn.values[next], first_symbol);
    };
    const auto append_noise = [&] {
      tokens.push_back(static_cast<Token>(first_symbol + needles_.alphabet +
                                          rng.below(static_cast<std::uint32_t>(noise_))));
    };

    const std::int64_t last_start = length - needles_.width;
    const std::int64_t noise = length - count * needles_.width;
    std::vector<std::size_t> asked = draw_questions(rng, count, questions(purpose));
    if (purpose == Purpose::evaluation && depth_ >= 0) {
      const std::int64_t start = std::llround(depth_ * static_cast<double>(last_start));
      const std::int64_t others = count - 1;
      const std::int64_t others_before =
          last_start == 0 ? 0 : (start * others + last_start / 2) / last_start;
      const std::int64_t noise_before =
          std::clamp<std::int64_t>(start - others_before * needles_.width, 0, noise);
      scatter(rng, others_before, noise_before, append_needle, append_noise);
      append_needle();
      scatter(rng, others - others_before, noise - noise_before, append_needle, append_noise);
      asked.front() = static_cast<std::size_t>(others_before);
    } else {
      scatter(rng, count, noise, append_needle, append_noise);
    }

    for (const std::size_t needle : asked) {
      tokens.push_back(question);
      append_word(tokens, drawn.keys[needle], first_symbol);
      for (std::size_t j = 0; j < drawn.values[needle].size(); ++j)
        sample.answers.push_back(static_cast<std::int32_t>(tokens.size() + j));
      append_word(tokens, drawn.values[needle], first_symbol);
    }
    if (purpose == Purpose::evaluation)
      sample.depth_decile =
          last_start == 0
              ? 0
              : static_cast<int>(std::min<std::int64_t>(9, 10 * starts[asked[0]] / last_start));
    return sample;
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return look_up(read()(hidden), whole_key, hidden, answers);
  }

  std::vector<Shortcut> shortcuts() const override {
    return lookup_shortcuts(read(), static_cast<std::size_t>(needles_.key_length));
  }

  std::vector<std::int32_t> evidence(const Sample& sample, std::size_t answer) const override {
    return lookup_evidence(read(), sample, answer);
  }

  std::optional<Confusions> confusions() const override {
    return lookup_confusions(read(), static_cast<std::size_t>(needles_.key_length),
                             static_cast<std::size_t>(needles_.value_length));
  }

  std::vector<Quantity> quantities(std::int64_t length) const override {
    return {{"needles", needles_.count(length)}};
  }

  double chance(std::int64_t) const override {
    return math::pow(static_cast<double>(needles_.alphabet),
                     -static_cast<double>(needles_.value_length));
  }

  double token_chance() const override { return 1.0 / static_cast<double>(needles_.alphabet); }

 private:
  static constexpr Token marker = 0, question = 1, first_symbol = 2;

  std::int64_t questions(Purpose purpose) const {
    return purpose == Purpose::training ? training_questions_ : 1;
  }

  /// A marker tells a key and its value, a question asks for it.
  Read read() const {
    return [key_length = static_cast<std::size_t>(needles_.key_length),
            value_length =
                static_cast<std::size_t>(needles_.value_length)](std::span<const Token> hidden) {
      Reading reading{key_length, value_length, {}, {}};
      for (std::size_t p = 0; p < hidden.size(); ++p)
        if (hidden[p] == marker || hidden[p] == question)
          reading.mentions.push_back({hidden[p] == question, p + 1, p + 1 + key_length});
      return reading;
    };
  }

  HaystackItems needles_;
  std::int64_t noise_;
  std::int64_t training_questions_;
  double depth_;  ///< 0 .. 1, or -1: uniform
};

}  // namespace

TaskEntry needle() {
  using Kind = ParameterSpec::Kind;
  // 96 symbols make 9,216 keys: enough for the 8,192 needles of 65,536 tokens at the default
  // density.
  std::vector<ParameterSpec> parameters = haystack_parameters(
      {.item = "needle", .alphabet = "96", .value_length = "1", .density = "0.5"});
  parameters.insert(
      parameters.end(),
      {{.name = "noise",
        .help = "symbols that noise is made of",
        .default_value = "16",
        .minimum = 1,
        .maximum = 65536},
       {.name = "depth",
        .help = "where evaluation hides the needle asked for, in percent of the haystack; "
                "uniform: any needle, equally often",
        .default_value = "uniform",
        .kind = Kind::number,
        .minimum = 0,
        .maximum = 100,
        .choices = {"uniform"}},
       {.name = "training_questions",
        .help = "questions in a training sample; evaluation asks one",
        .default_value = "8",
        .minimum = 1,
        .maximum = 4096}});
  return {{.name = "needle",
           .summary = "find one needle among many in noise, or in needles alone (density=1): "
                      "! k k v ... ? k k v",
           .source = "after RULER, Hsieh et al. 2024, arXiv 2404.06654",
           .parameters = std::move(parameters)},
          [](const Arguments& arguments) { return std::make_unique<Needle>(arguments); }};
}

}  // namespace attnspan::tasks
