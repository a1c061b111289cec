#include <string>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/lookup.hpp"
#include "task/task.hpp"
#include "task/training_share.hpp"

namespace attnspan::tasks {
namespace {

/// Multi-query multi-token associative recall as its paper has it (arXiv 2506.16640, Appendix):
///   BOS context ? k k ? k k ? k k ? k k SEP ? v v ? v v ? v v ? v v EOS
/// with everything after SEP scored. At length L the context holds K = floor(0.8 L / 6) pairs
/// `k k = v v`, each at a random place of a block of its own of floor(L / K) tokens, the others of
/// which are blanks: K floor(L / K) tokens, somewhat fewer than L. Keys and values are 10,000 words
/// each, drawn once from two of 256 symbols; every sample takes some of both and pairs them anew.
/// Queries are drawn with replacement. Two shares of the training samples may differ: in `repeated`
/// ones all queries ask for one pair, so that the lookup is learned apart from which answer belongs
/// to which query; in `crowded` ones the words are made of few symbols.
class Mqmtar final : public Task {
 public:
  explicit Mqmtar(const Arguments& arguments) {
    Rng rng(static_cast<std::uint64_t>(arguments.integer("words_seed")), Stream::words);
    words_.keys = distinct_words(rng, words, symbols, word_length);
    words_.values = distinct_words(rng, words, symbols, word_length);
    crowded_.crowded = arguments.number("crowded");
    repeated_ = arguments.number("repeated");
  }

  std::int32_t vocabulary_size() const override { return first_symbol + symbols; }

  std::string token_name(Token token) const override {
    static const char* const specials[] = {"_", "=", "?", "BOS", "SEP", "EOS"};
    return token < first_symbol ? specials[token] : "s" + std::to_string(token - first_symbol);
  }

  void check_length(std::int64_t length) const override {
    check_length_range("mqmtar", length);
    const std::int64_t pairs = pairs_in(length);
    const std::string at_length = "mqmtar: length " + std::to_string(length) + " ";
    if (pairs < 1)
      throw InputError(at_length + "has no room for a pair; use a length of at least 8.");
    if (pairs > words)
      throw InputError(at_length + "needs " + std::to_string(pairs) +
                       " pairs, but the task has only " + std::to_string(words) +
                       " words for keys and for values; use a length of at most 75007.");
  }

  std::int64_t total_tokens(std::int64_t length, Purpose) const override {
    return 3 + context_tokens(length) + queries * 2 * (1 + word_length);
  }

  std::int64_t answer_tokens(std::int64_t, Purpose) const override {
    return queries * (1 + word_length) + 1;
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const std::int64_t pairs = pairs_in(length);
    const std::int64_t spare = length / pairs - pair_width;
    const Dictionary drawn = draw(rng, pairs, purpose);
    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    tokens.push_back(bos);
    for (std::size_t pair = 0; pair < drawn.keys.size(); ++pair) {
      const auto before =
          static_cast<std::size_t>(rng.below(static_cast<std::uint32_t>(spare + 1)));
      tokens.insert(tokens.end(), before, blank);
      append_word(tokens, drawn.keys[pair], first_symbol);
      tokens.push_back(equals);
      append_word(tokens, drawn.values[pair], first_symbol);
      tokens.insert(tokens.end(), static_cast<std::size_t>(spare) - before, blank);
    }
    const bool repeats = is_of_share(rng, repeated_, purpose);
    std::vector<std::size_t> asked;
    for (std::int64_t i = 0; i < queries; ++i) {
      asked.push_back(repeats && i > 0 ? asked.front()
                                       : rng.below(static_cast<std::uint32_t>(pairs)));
      tokens.push_back(question);
      append_word(tokens, drawn.keys[asked.back()], first_symbol);
    }
    tokens.push_back(sep);
    for (const std::size_t pair : asked) {
      tokens.push_back(question);
      append_word(tokens, drawn.values[pair], first_symbol);
    }
    tokens.push_back(eos);
    for (std::int64_t i = answer_tokens(length, purpose); i > 0; --i)
      sample.answers.push_back(static_cast<std::int32_t>(std::ssize(tokens) - i));
    return sample;
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return look_up(read(hidden), whole_key, hidden, answers);
  }

  std::vector<Shortcut> shortcuts() const override { return lookup_shortcuts(read, word_length); }

  std::vector<std::int32_t> evidence(const Sample& sample, std::size_t answer) const override {
    return lookup_evidence(read, sample, answer);
  }

  std::optional<Confusions> confusions() const override {
    return lookup_confusions(read, word_length, word_length);
  }

  std::vector<Quantity> quantities(std::int64_t length) const override {
    return {{"pairs", pairs_in(length)}, {"context_tokens", context_tokens(length)}};
  }

  // The `?` and EOS of the target stand where they must, so a guesser of symbols is given them.
  double chance(std::int64_t) const override {
    return math::pow(static_cast<double>(symbols), -static_cast<double>(queries * word_length));
  }

  double token_chance() const override { return 1.0 / symbols; }

 private:
  static constexpr Token blank = 0, equals = 1, question = 2, bos = 3, sep = 4, eos = 5,
                         first_symbol = 6;
  static constexpr int symbols = 256, words = 10'000, word_length = 2, queries = 4;
  static constexpr std::int64_t pair_width = 2 * word_length + 1;

  /// The pairs of one sample, in their order.
  Dictionary draw(Rng& rng, std::int64_t pairs, Purpose purpose) const {
    if (is_of_share(rng, crowded_.crowded, purpose)) return crowded_.draw_crowded(rng, pairs);
    Dictionary drawn;
    for (const std::size_t key : draw_questions(rng, words, pairs))
      drawn.keys.push_back(words_.keys[key]);
    for (const std::size_t value : draw_questions(rng, words, pairs))
      drawn.values.push_back(words_.values[value]);
    return drawn;
  }

  // As the paper's generator reckons it, in floating point.
  static std::int64_t pairs_in(std::int64_t length) {
    return static_cast<std::int64_t>(0.8 * static_cast<double>(length) / 6);
  }

  static std::int64_t context_tokens(std::int64_t length) {
    return pairs_in(length) * (length / pairs_in(length));
  }

  static Reading read(std::span<const Token> hidden) {
    return read_pairs(hidden, {equals, question, sep, eos}, word_length, word_length);
  }

  Dictionary words_;
  HaystackItems crowded_{.task = "mqmtar",
                         .item = "pair",
                         .alphabet = symbols,
                         .key_length = word_length,
                         .value_length = word_length};
  double repeated_ = 0;
};

}  // namespace

TaskEntry mqmtar() {
  return {
      {.name = "mqmtar",
       .summary = "recall as its paper has it: k k = v v ... ? k k x 4 SEP ? v v x 4 EOS",
       .source = "arXiv 2506.16640",
       .parameters = {{.name = "words_seed",
                       .help = "which 10,000 key words and 10,000 value words there are",
                       .default_value = "0",
                       .minimum = 0,
                       .maximum = 1e9},
                      crowded_items_parameter(),
                      training_share_parameter("repeated", "that ask for one pair four times")}},
      [](const Arguments& arguments) { return std::make_unique<Mqmtar>(arguments); }};
}

}  // namespace attnspan::tasks
