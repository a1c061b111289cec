#include <cmath>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

std::size_t times(const std::string& name, const Task& task, std::span<const Token> tokens) {
  std::size_t count = 0;
  for (const Token token : tokens) count += task.token_name(token) == name ? 1 : 0;
  return count;
}

Sample draw(const Task& task, std::int64_t length, Purpose purpose, std::uint64_t index = 0) {
  Rng rng(3, Stream::test, index);
  return task.generate(rng, length, purpose);
}

/// Pairs and blanks of a haystack, as "p" and "_", in order.
std::string shape(const Task& task, std::span<const Token> haystack) {
  std::string text;
  for (std::size_t p = 0; p < haystack.size();) {
    const bool is_pair = task.token_name(haystack[p]) != "_";
    text += is_pair ? 'p' : '_';
    p += is_pair ? 6 : 1;
  }
  return text;
}

}  // namespace

TEST_CASE("recall: the oracle answers typed interleaved queries", "[golden]") {
  const NamedTask recall = make_task("recall");
  const Sample sample = typed_sample(
      *recall.task,
      "_ s1 s2 = s3 s4 _ s2 s1 = s5 s5 _ _ _ s1 s1 = s2 s3 _ "
      "? s2 s1 = [s5] [s5] ? s1 s2 = [s3] [s4] ? s1 s1 = [s2] [s3] ? s1 s2 = [s3] [s4]");
  CHECK(solved(*recall.task, sample) == answers_of(sample));
  const Sample wrong =
      typed_sample(*recall.task, "s1 s2 = s3 s4 _ s2 s1 = s5 s5 _ ? s2 s1 = [s3] [s4]");
  CHECK(solved(*recall.task, wrong) != answers_of(wrong));
  const Sample unanswerable = typed_sample(*recall.task, "s1 s2 = s3 s4 _ ? s2 s2 = [s3] [s4]");
  CHECK(solved(*recall.task, unanswerable) == std::vector<Token>{-1, -1});
}

TEST_CASE("recall: the oracle answers typed grouped queries in their order", "[golden]") {
  const NamedTask recall = make_task("recall:layout=grouped,key_length=1,value_length=3");
  const Sample sample = typed_sample(*recall.task,
                                     "BOS s1 = s3 s4 s5 _ _ s2 = s6 s6 s7 _ ? s2 ? s1 ? s2 SEP "
                                     "? [s6] [s6] [s7] ? [s3] [s4] [s5] ? [s6] [s6] [s7] EOS");
  CHECK(solved(*recall.task, sample) == answers_of(sample));
  const Sample swapped = typed_sample(
      *recall.task,
      "BOS s1 = s3 s4 s5 _ _ s2 = s6 s6 s7 _ ? s2 ? s1 SEP ? [s3] [s4] [s5] ? [s6] [s6] [s7] EOS");
  CHECK(solved(*recall.task, swapped) != answers_of(swapped));
}

TEST_CASE("recall: a sample at 64 has 8 pairs and 112 tokens", "[unit]") {
  const NamedTask recall = make_task("recall");
  const Task& task = *recall.task;
  const Sample training = draw(task, 64, Purpose::training);
  CHECK(training.tokens.size() == 112);
  CHECK(task.total_tokens(64, Purpose::training) == 112);
  CHECK(training.answers.size() == 16);
  CHECK(task.answer_tokens(64, Purpose::training) == 16);
  const auto haystack = std::span(training.tokens).first(64);
  CHECK(times("=", task, haystack) == 8);
  CHECK(times("_", task, haystack) == 64 - 8 * 5);
  CHECK(times("?", task, haystack) == 0);
  CHECK(times("?", task, training.tokens) == 8);
  const Sample test = draw(task, 64, Purpose::evaluation);
  CHECK(test.tokens.size() == 88);
  CHECK(test.answers.size() == 8);
}

TEST_CASE("recall: 65,536 tokens hold 8,738 pairs with keys of their own", "[unit]") {
  const NamedTask recall = make_task("recall:alphabet=256");
  const Task& task = *recall.task;
  const Sample sample = draw(task, 65536, Purpose::evaluation);
  CHECK(times("=", task, std::span(sample.tokens).first(65536)) == 8738);
  std::set<std::pair<Token, Token>> keys;
  for (std::size_t p = 2; p < 65536; ++p)
    if (task.token_name(sample.tokens[p]) == "=")
      keys.insert({sample.tokens[p - 2], sample.tokens[p - 1]});
  CHECK(keys.size() == 8738);
  CHECK(solved(task, sample) == answers_of(sample));
}

TEST_CASE("recall: all keys of the alphabet can be used up", "[unit]") {
  // 64 keys of 2 out of 8 symbols: 480 tokens at density 0.8.
  const NamedTask recall = make_task("recall:alphabet=8");
  const Sample sample = draw(*recall.task, 480, Purpose::evaluation);
  CHECK(times("=", *recall.task, std::span(sample.tokens).first(480)) == 64);
  CHECK(solved(*recall.task, sample) == answers_of(sample));
  CHECK_THROWS_AS(recall.task->check_length(488), InputError);
}

TEST_CASE("recall: the grouped layout lists queries, then answers", "[unit]") {
  const NamedTask recall = make_task("recall:layout=grouped,density=1,queries=2");
  const Task& task = *recall.task;
  const Sample sample = draw(task, 6, Purpose::evaluation);
  const auto at = [&](std::size_t p) { return task.token_name(sample.tokens[p]); };
  const std::string key = at(1) + " " + at(2);
  const std::string value = at(4) + " " + at(5);
  const std::string scored = "[" + at(4) + "] [" + at(5) + "]";
  CHECK(text_of(task, sample) == "BOS " + key + " = " + value + " _ ? " + key + " ? " + key +
                                     " SEP ? " + scored + " ? " + scored + " EOS");
  CHECK(std::ssize(sample.tokens) == task.total_tokens(6, Purpose::evaluation));
}

TEST_CASE("recall: the oracle agrees in both layouts at other sizes", "[property]") {
  for (const char* name :
       {"recall:layout=grouped", "recall:layout=grouped,key_length=3,value_length=1",
        "recall:key_length=1,value_length=4,alphabet=200", "recall:density=1,queries=9",
        "recall:density=0.1,alphabet=5", "recall:layout=grouped,queries=1", "recall:pairs=4"}) {
    INFO(name);
    const NamedTask recall = make_task(name);
    for (const std::int64_t length : {64, 97, 500})
      for (const Purpose purpose : {Purpose::training, Purpose::evaluation})
        for (std::uint64_t index = 0; index < 10; ++index) {
          const Sample sample = draw(*recall.task, length, purpose, index);
          REQUIRE(std::ssize(sample.tokens) == recall.task->total_tokens(length, purpose));
          REQUIRE(std::ssize(sample.answers) == recall.task->answer_tokens(length, purpose));
          REQUIRE(solved(*recall.task, sample) == answers_of(sample));
        }
  }
}

// Two pairs and two spare blanks: the six arrangements come equally often.
TEST_CASE("recall: spare blanks are spread uniformly between the pairs", "[property]") {
  const NamedTask recall = make_task("recall:density=0.9");
  std::map<std::string, int> seen;
  for (std::uint64_t index = 0; index < 6000; ++index) {
    const Sample sample = draw(*recall.task, 14, Purpose::evaluation, index);
    ++seen[shape(*recall.task, std::span(sample.tokens).first(14))];
  }
  // A pair's own blank is part of its six tokens.
  REQUIRE(seen.size() == 6);
  double chi_square = 0;
  for (const auto& [order, count] : seen) chi_square += std::pow(count - 1000.0, 2) / 1000;
  CHECK(chi_square < 20.5);  // 99.9% point, 5 degrees of freedom
}

TEST_CASE("recall: every pair is asked once before any twice", "[property]") {
  for (const char* name : {"recall:queries=20", "recall:queries=20,layout=grouped"}) {
    const NamedTask recall = make_task(name);
    for (std::uint64_t index = 0; index < 20; ++index) {
      const Sample sample = draw(*recall.task, 64, Purpose::evaluation, index);
      std::vector<std::vector<Token>> asked;
      for (std::size_t p = 64; p + 2 < sample.tokens.size() && asked.size() < 20; ++p)
        if (recall.task->token_name(sample.tokens[p]) == "?")
          asked.push_back({sample.tokens[p + 1], sample.tokens[p + 2]});
      REQUIRE(asked.size() == 20);
      for (std::size_t round = 0; round < 16; round += 8)
        REQUIRE(std::set(asked.begin() + static_cast<std::ptrdiff_t>(round),
                         asked.begin() + static_cast<std::ptrdiff_t>(round + 8))
                    .size() == 8);
    }
  }
}

TEST_CASE("recall: pairs=K holds the pairs at any length, density= lets them grow", "[unit]") {
  const NamedTask five = make_task("recall:pairs=5");
  for (const std::int64_t length : {30, 64, 4096}) {
    const Sample sample = draw(*five.task, length, Purpose::evaluation);
    CHECK(times("=", *five.task,
                std::span(sample.tokens).first(static_cast<std::size_t>(length))) == 5);
    CHECK(five.task->quantities(length).at(0).value == 5);
  }
  CHECK_THROWS_AS(five.task->check_length(29), InputError);
  const NamedTask dense = make_task("recall:density=0.5");
  CHECK(dense.task->quantities(1200).at(0).name == "pairs");
  CHECK(dense.task->quantities(1200).at(0).value == 100);
}

TEST_CASE("recall: training asks as many as evaluation where queries are grouped", "[unit]") {
  const auto answers = [](const char* name, Purpose purpose) {
    return draw(*make_task(name).task, 64, purpose).answers.size() / 2;
  };
  CHECK(answers("recall", Purpose::training) == 8);
  CHECK(answers("recall", Purpose::evaluation) == 4);
  CHECK(answers("recall:training_queries=3", Purpose::training) == 3);
  CHECK(answers("recall:layout=grouped", Purpose::training) == 4);
  CHECK(answers("recall:layout=grouped,queries=6", Purpose::training) == 6);
  CHECK(answers("recall:layout=grouped,queries=6,training_queries=6", Purpose::training) == 6);
  CHECK_THROWS_WITH(make_task("recall:layout=grouped,training_queries=8"),
                    "recall: in the grouped layout training and evaluation ask the same number of "
                    "queries; leave training_queries out or make it 4, not 8.");
}

TEST_CASE("recall: crowded changes training samples alone", "[unit]") {
  const NamedTask crowded = make_task("recall:crowded=1"), plain = make_task("recall");
  CHECK(draw(*crowded.task, 64, Purpose::evaluation).tokens ==
        draw(*plain.task, 64, Purpose::evaluation).tokens);
  const Sample sample = draw(*crowded.task, 64, Purpose::training);
  // At most 16 symbols beside blank, equals and question; a plain sample of 32 letters has more.
  CHECK(std::set(sample.tokens.begin(), sample.tokens.end()).size() <= 19);
  const Sample usual = draw(*plain.task, 64, Purpose::training);
  CHECK(std::set(usual.tokens.begin(), usual.tokens.end()).size() > 19);
  CHECK(crowded.label == "recall:crowded=1");
}

TEST_CASE("recall: chance is a guess of every value token asked for", "[unit]") {
  const NamedTask recall = make_task("recall:alphabet=10,queries=2,value_length=3");
  CHECK(recall.task->chance(64) == Approx(1e-6));
  CHECK(recall.task->token_chance() == 0.1);
}
