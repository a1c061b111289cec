#include <cmath>
#include <map>
#include <string>

#include "task/haystack.hpp"
#include "task/task.hpp"

namespace attnspan::tasks {
namespace {

/// Associative recall. The haystack is `_ _ k k = v v _ _ k k = v v _ ...`: pairs, each closed by a
/// blank of its own, with the spare blanks spread between them. Then the queries:
///   interleaved  ? k k = v v ? k k = v v ...              (v scored)
///   grouped      BOS haystack ? k k ? k k ... SEP ? v v ? v v ... EOS
/// The grouped layout is the multi-query multi-token recall of arXiv 2506.16640; its `?` and EOS in
/// the target are given, only the v are scored.
class Recall final : public Task {
 public:
  explicit Recall(const Arguments& arguments)
      : alphabet_(arguments.integer("alphabet")),
        key_length_(arguments.integer("key_length")),
        value_length_(arguments.integer("value_length")),
        queries_(arguments.integer("queries")),
        training_queries_(arguments.integer("training_queries")),
        grouped_(arguments.text("layout") == "grouped"),
        pairs_{
            "recall",  "pair",     key_length_ + value_length_ + 2, arguments.number("density"), 0,
            alphabet_, key_length_} {}

  std::int32_t vocabulary_size() const override {
    return first_symbol + static_cast<std::int32_t>(alphabet_);
  }

  std::string token_name(Token token) const override {
    static const char* const specials[] = {"BOS", "SEP", "EOS", "_", "=", "?"};
    return token < first_symbol ? specials[token] : "s" + std::to_string(token - first_symbol);
  }

  void check_length(std::int64_t length) const override { pairs_.check_length(length); }

  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    const std::int64_t frame = grouped_ ? 3 : 0;
    return length + frame + queries(purpose) * (key_length_ + value_length_ + 2);
  }

  std::int64_t answer_tokens(std::int64_t, Purpose purpose) const override {
    return queries(purpose) * value_length_;
  }

  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    const std::int64_t pairs = pairs_.count(length);
    const std::vector<Word> keys = distinct_words(rng, pairs, alphabet_, key_length_);
    std::vector<Word> values;
    for (std::int64_t i = 0; i < pairs; ++i)
      values.push_back(random_word(rng, alphabet_, value_length_));

    Sample sample;
    std::vector<Token>& tokens = sample.tokens;
    tokens.reserve(static_cast<std::size_t>(total_tokens(length, purpose)));
    const auto append = [&](const Word& word) {
      for (const char16_t letter : word)
        tokens.push_back(first_symbol + static_cast<Token>(letter));
    };
    const auto append_answer = [&](const Word& value) {
      for (std::size_t i = 0; i < value.size(); ++i)
        sample.answers.push_back(static_cast<std::int32_t>(tokens.size() + i));
      append(value);
    };

    if (grouped_) tokens.push_back(bos);
    std::size_t next = 0;
    const auto append_pair = [&] {
      append(keys[next]);
      tokens.push_back(equals);
      append(values[next]);
      tokens.push_back(blank);
      ++next;
    };
    scatter(rng, pairs, length - pairs * pairs_.width, append_pair,
            [&] { tokens.push_back(blank); });

    std::vector<std::size_t> asked;
    for (std::int64_t i = 0; i < queries(purpose); ++i)
      asked.push_back(rng.below(static_cast<std::uint32_t>(pairs)));
    for (const std::size_t pair : asked) {
      tokens.push_back(question);
      append(keys[pair]);
      if (grouped_) continue;
      tokens.push_back(equals);
      append_answer(values[pair]);
    }
    if (grouped_) {
      tokens.push_back(sep);
      for (const std::size_t pair : asked) {
        tokens.push_back(question);
        append_answer(values[pair]);
      }
      tokens.push_back(eos);
    }
    return sample;
  }

  // Reads either layout: `k =` after a `?` asks, without one it tells; after SEP the i-th `?`
  // stands for the i-th key that was asked.
  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    const auto key_length = static_cast<std::size_t>(key_length_);
    const auto value_length = static_cast<std::size_t>(value_length_);
    using Key = std::vector<Token>;
    const auto key_from = [&](std::size_t start) {
      return start + key_length <= hidden.size()
                 ? Key(hidden.begin() + static_cast<std::ptrdiff_t>(start),
                       hidden.begin() + static_cast<std::ptrdiff_t>(start + key_length))
                 : Key();
    };
    std::map<Key, std::size_t> told;  // where the value of a key starts
    std::vector<Key> asked;
    std::vector<Token> filled(hidden.size(), -1);
    const auto fill = [&](std::size_t start, const Key& key) {
      const auto found = told.find(key);
      if (found == told.end()) return;
      for (std::size_t i = 0; i < value_length && start + i < filled.size(); ++i)
        filled[start + i] = hidden[found->second + i];
    };
    bool in_target = false;
    std::size_t replied = 0;
    for (std::size_t p = 0; p < hidden.size(); ++p) {
      if (hidden[p] == sep) {
        in_target = true;
      } else if (hidden[p] == question && in_target) {
        if (replied < asked.size()) fill(p + 1, asked[replied++]);
      } else if (hidden[p] == question) {
        asked.push_back(key_from(p + 1));
      } else if (hidden[p] == equals && p >= key_length) {
        const Key key = key_from(p - key_length);
        if (p > key_length && hidden[p - key_length - 1] == question)
          fill(p + 1, key);
        else if (p + value_length < hidden.size())
          told[key] = p + 1;
      }
    }
    std::vector<Token> right;
    for (const std::int32_t p : answers) right.push_back(filled[static_cast<std::size_t>(p)]);
    return right;
  }

  double chance(std::int64_t) const override {
    return std::pow(static_cast<double>(alphabet_), -static_cast<double>(queries_ * value_length_));
  }

  double token_chance() const override { return 1.0 / static_cast<double>(alphabet_); }

 private:
  static constexpr Token bos = 0, sep = 1, eos = 2, blank = 3, equals = 4, question = 5,
                         first_symbol = 6;

  std::int64_t queries(Purpose purpose) const {
    return purpose == Purpose::training ? training_queries_ : queries_;
  }

  std::int64_t alphabet_;
  std::int64_t key_length_;
  std::int64_t value_length_;
  std::int64_t queries_;
  std::int64_t training_queries_;
  bool grouped_;
  HaystackItems pairs_;
};

}  // namespace

TaskEntry recall() {
  using Kind = ParameterSpec::Kind;
  return {{.name = "recall",
           .summary = "look up values by key among many pairs: k k = v v _ ... ? k k = v v",
           .source = "arXiv 2506.16640",
           .parameters = {{.name = "alphabet",
                           .help = "symbols that keys and values are made of",
                           .default_value = "64",
                           .minimum = 2,
                           .maximum = 65536},
                          {.name = "key_length",
                           .help = "tokens in a key",
                           .default_value = "2",
                           .minimum = 1,
                           .maximum = 8},
                          {.name = "value_length",
                           .help = "tokens in a value",
                           .default_value = "2",
                           .minimum = 1,
                           .maximum = 8},
                          {.name = "density",
                           .help = "share of the haystack taken by pairs",
                           .default_value = "0.8",
                           .kind = Kind::number,
                           .minimum = 0.001,
                           .maximum = 1},
                          {.name = "queries",
                           .help = "queries in an evaluation sample",
                           .default_value = "4",
                           .minimum = 1,
                           .maximum = 4096},
                          {.name = "training_queries",
                           .help = "queries in a training sample",
                           .default_value = "8",
                           .minimum = 1,
                           .maximum = 4096},
                          {.name = "layout",
                           .help = "interleaved: each query before its answer; grouped: all "
                                   "queries, then all answers",
                           .default_value = "interleaved",
                           .kind = Kind::choice,
                           .choices = {"interleaved", "grouped"}}}},
          [](const Arguments& arguments) { return std::make_unique<Recall>(arguments); }};
}

}  // namespace attnspan::tasks
