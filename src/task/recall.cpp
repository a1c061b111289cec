#include "task/recall.hpp"

#include <map>
#include <memory>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/lookup.hpp"

namespace attnspan {
namespace {

class AssociativeRecall final : public Task {
 public:
  AssociativeRecall(const RecallForm& form, const Arguments& arguments)
      : form_(form),
        pairs_(haystack_items(form.task, "pair", 2, arguments)),
        queries_(arguments.integer("queries")),
        grouped_(arguments.text("layout") == "grouped"),
        training_queries_(training_queries(arguments)) {}

  std::int32_t vocabulary_size() const override {
    return first_symbol + static_cast<std::int32_t>(pairs_.alphabet + form_.noise);
  }

  std::string token_name(Token token) const override {
    static const char* const specials[] = {"BOS", "SEP", "EOS", "_", "=", "?"};
    if (token < first_symbol) return specials[token];
    const std::int64_t letter = token - first_symbol;
    return letter < pairs_.alphabet ? "s" + std::to_string(letter)
                                    : "n" + std::to_string(letter - pairs_.alphabet);
  }

  void check_length(std::int64_t length) const override { pairs_.check_length(length); }

  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    const std::int64_t frame = grouped_ ? 3 : 0;
    return length + frame + queries(purpose) * pairs_.width;
  }

  std::int64_t answer_tokens(std::int64_t, Purpose purpose) const override {
    return queries(purpose) * pairs_.value_length;
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const Dictionary drawn =
        form_.draw ? form_.draw(pairs_, rng, length, purpose) : pairs_.draw(rng, length, purpose);
    const auto pairs = static_cast<std::int64_t>(drawn.keys.size());
    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    const auto append_answer = [&](const Word& value) {
      for (std::size_t i = 0; i < value.size(); ++i)
        sample.answers.push_back(static_cast<std::int32_t>(tokens.size() + i));
      append_word(tokens, value, first_symbol);
    };

    const auto append_filler = [&] {
      tokens.push_back(form_.noise == 0 ? blank
                                        : static_cast<Token>(
                                              first_symbol + pairs_.alphabet +
                                              rng.below(static_cast<std::uint32_t>(form_.noise))));
    };
    if (grouped_) tokens.push_back(bos);
    std::size_t next = 0;
    const auto append_pair = [&] {
      append_word(tokens, drawn.keys[next], first_symbol);
      tokens.push_back(equals);
      append_word(tokens, drawn.values[next], first_symbol);
      append_filler();
      ++next;
    };
    scatter(rng, pairs, length - pairs * pairs_.width, append_pair, append_filler);

    // Of pairs with one key the last holds.
    std::map<Word, std::size_t> last;
    std::vector<std::size_t> holding, asked;
    if (form_.draw) {
      for (std::size_t pair = 0; pair < drawn.keys.size(); ++pair) last[drawn.keys[pair]] = pair;
      for (const auto& [key, pair] : last) holding.push_back(pair);
    }
    const std::int64_t keys = form_.draw ? std::ssize(holding) : pairs;
    for (const std::size_t key : draw_questions(rng, keys, queries(purpose)))
      asked.push_back(form_.draw ? holding[key] : key);
    for (const std::size_t pair : asked) {
      tokens.push_back(question);
      append_word(tokens, drawn.keys[pair], first_symbol);
      if (grouped_) continue;
      tokens.push_back(equals);
      append_answer(drawn.values[pair]);
    }
    if (grouped_) {
      tokens.push_back(sep);
      for (const std::size_t pair : asked) {
        tokens.push_back(question);
        append_answer(drawn.values[pair]);
      }
      tokens.push_back(eos);
    }
    return sample;
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return look_up(read()(hidden), whole_key, hidden, answers);
  }

  std::vector<Shortcut> shortcuts() const override {
    std::vector<Shortcut> found =
        lookup_shortcuts(read(), static_cast<std::size_t>(pairs_.key_length));
    if (form_.tells_again)
      found.push_back(
          {"first telling", "the value first told for the key",
           [read = read()](std::span<const Token> hidden, std::span<const std::int32_t> answers) {
             return look_up(read(hidden), whole_key, hidden, answers, Telling::first);
           }});
    return found;
  }

  std::vector<std::int32_t> evidence(const Sample& sample, std::size_t answer) const override {
    return lookup_evidence(read(), sample, answer);
  }

  std::optional<Confusions> confusions() const override {
    return lookup_confusions(read(), static_cast<std::size_t>(pairs_.key_length),
                             static_cast<std::size_t>(pairs_.value_length), form_.tells_again);
  }

  std::vector<Quantity> quantities(std::int64_t length) const override {
    return {{"pairs", form_.count ? form_.count(pairs_, length) : pairs_.count(length)}};
  }

  double chance(std::int64_t) const override {
    return math::pow(static_cast<double>(pairs_.alphabet),
                     -static_cast<double>(queries_ * pairs_.value_length));
  }

  double token_chance() const override { return 1.0 / static_cast<double>(pairs_.alphabet); }

 private:
  static constexpr Token bos = 0, sep = 1, eos = 2, blank = 3, equals = 4, question = 5,
                         first_symbol = 6;

  /// The distance from an answer to its query depends on the number of queries where they are
  /// grouped, so that training must ask as many as evaluation.
  std::int64_t training_queries(const Arguments& arguments) const {
    const bool left_open = arguments.text("training_queries") == "auto";
    if (left_open) return grouped_ ? queries_ : 8;
    const std::int64_t asked = arguments.integer("training_queries");
    if (grouped_ && asked != queries_)
      throw InputError(
          "recall: in the grouped layout training and evaluation ask the same number "
          "of queries; leave training_queries out or make it " +
          std::to_string(queries_) + ", not " + std::to_string(asked) + ".");
    return asked;
  }

  std::int64_t queries(Purpose purpose) const {
    return purpose == Purpose::training ? training_queries_ : queries_;
  }

  Read read() const {
    return [key_length = static_cast<std::size_t>(pairs_.key_length),
            value_length =
                static_cast<std::size_t>(pairs_.value_length)](std::span<const Token> hidden) {
      return read_pairs(hidden, {equals, question, sep, eos}, key_length, value_length);
    };
  }

  RecallForm form_;
  HaystackItems pairs_;
  std::int64_t queries_;
  bool grouped_;
  std::int64_t training_queries_;
};

}  // namespace

std::unique_ptr<Task> make_recall(const RecallForm& form, const Arguments& arguments) {
  return std::make_unique<AssociativeRecall>(form, arguments);
}

std::vector<ParameterSpec> recall_parameters() {
  using Kind = ParameterSpec::Kind;
  std::vector<ParameterSpec> parameters = haystack_parameters(
      {.item = "pair", .alphabet = "64", .value_length = "2", .density = "0.8"});
  parameters.insert(
      parameters.end(),
      {{.name = "queries",
        .help = "queries in an evaluation sample",
        .default_value = "4",
        .minimum = 1,
        .maximum = 4096},
       {.name = "training_queries",
        .help = "queries in a training sample; auto: 8, or in the grouped layout as in evaluation",
        .default_value = "auto",
        .minimum = 1,
        .maximum = 4096,
        .choices = {"auto"}},
       {.name = "layout",
        .help = "interleaved: each query before its answer; grouped: all queries, then all answers",
        .default_value = "interleaved",
        .kind = Kind::choice,
        .choices = {"interleaved", "grouped"}}});
  return parameters;
}

}  // namespace attnspan
