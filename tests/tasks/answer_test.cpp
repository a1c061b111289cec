// Tasks that ask for one thing, or for a sequence: oracles against typed samples, worked out by
// hand.

#include <cmath>
#include <map>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

void check_answer(const char* task, const char* text) {
  INFO(task << ": " << text);
  const NamedTask named = make_task(task);
  const Sample sample = typed_sample(*named.task, text);
  CHECK(solved(*named.task, sample) == answers_of(sample));
}

Sample draw(const Task& task, std::int64_t length, std::uint64_t index = 0) {
  Rng rng(13, Stream::test, index);
  return task.generate(rng, length, Purpose::evaluation);
}

std::string refusal(const char* task, std::int64_t length) {
  try {
    make_task(task).task->check_length(length);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace

TEST_CASE("pair-trace: the oracle answers typed lists", "[golden]") {
  check_answer("pair-trace", "BOS 3 , PTR 7 , 1 , 7 SEP [7] [1] [EOS]");
  check_answer("pair-trace", "BOS PTR 4 , 4 SEP [4] [4] [EOS]");
}

TEST_CASE("pair-trace: the mark is at every item but the last equally often", "[property]") {
  const NamedTask trace = make_task("pair-trace");
  std::map<std::size_t, int> places;
  for (std::uint64_t index = 0; index < 4000; ++index) {
    const Sample sample = draw(*trace.task, 5, index);
    for (std::size_t p = 0; p < sample.tokens.size(); ++p)
      if (trace.task->token_name(sample.tokens[p]) == "PTR") ++places[p];
  }
  REQUIRE(places.size() == 4);
  double chi_square = 0;
  for (const auto& [place, count] : places) chi_square += std::pow(count - 1000.0, 2) / 1000;
  CHECK(chi_square < 16.3);  // 99.9% point, 3 degrees of freedom
}

TEST_CASE("max-retrieval: the oracle answers typed items", "[golden]") {
  check_answer("max-retrieval:digits=2", "BOS 4 7 c2 9 1 c5 0 9 c3 9 0 c1 SEP [c5] [EOS]");
}

TEST_CASE("max-retrieval: the largest value is there once, however many items", "[property]") {
  const NamedTask task = make_task("max-retrieval:digits=2");
  for (std::uint64_t index = 0; index < 50; ++index) {
    const Sample sample = draw(*task.task, 90, index);
    std::map<int, int> values;
    for (std::size_t item = 0; item < 90; ++item)
      ++values[10 * sample.tokens[1 + 3 * item] + sample.tokens[2 + 3 * item]];
    REQUIRE(values.rbegin()->second == 1);
  }
  CHECK(refusal("max-retrieval:digits=2", 100) == "no InputError");
  CHECK(refusal("max-retrieval:digits=2", 101) ==
        "max-retrieval: length 101 has more items than values of digits=2 digits; raise digits.");
}

TEST_CASE("induction: the oracle answers typed triggers with the last telling", "[golden]") {
  check_answer("induction", "BOS s4 T s9 s1 s2 T [s9]");
  check_answer("induction:times=2", "BOS T s9 s1 T s3 s2 T [s3]");
}

TEST_CASE("induction: triggers are apart and equally often everywhere", "[property]") {
  const NamedTask induction = make_task("induction:times=2");
  // 6 symbols before the end, the last of which follows: places 0 .. 4, apart by two: 6 ways.
  std::map<std::string, int> seen;
  for (std::uint64_t index = 0; index < 6000; ++index) {
    const Sample sample = draw(*induction.task, 7, index);
    std::string places;
    for (std::size_t p = 1; p < 7; ++p)
      places += induction.task->token_name(sample.tokens[p]) == "T" ? 'T' : '.';
    ++seen[places];
  }
  REQUIRE(seen.size() == 6);
  double chi_square = 0;
  for (const auto& [places, count] : seen) chi_square += std::pow(count - 1000.0, 2) / 1000;
  CHECK(chi_square < 20.5);  // 99.9% point, 5 degrees of freedom
}

TEST_CASE("selective-copy: the oracle copies what stands between blanks", "[golden]") {
  check_answer("selective-copy:data=3", "BOS _ s3 _ _ s7 s3 _ SEP [s3] [s7] [s3] [EOS]");
  CHECK(refusal("selective-copy", 15) ==
        "selective-copy: length 15 has no room for 16 data tokens; use a length of at least 16 or "
        "lower data.");
}

TEST_CASE("missing-symbol: the oracle names the absent one", "[golden]") {
  check_answer("missing-symbol:symbols=4", "BOS s2 s0 s2 s3 SEP [s1] [EOS]");
  check_answer("missing-symbol:symbols=4", "BOS s2 s0 s1 SEP [s3] [EOS]");
  check_answer("missing-symbol:symbols=4", "BOS s2 s3 s1 SEP [s0] [EOS]");
}

TEST_CASE("selective-count: the oracle counts marks, and one to eight are equally likely",
          "[golden]") {
  check_answer("selective-count", "BOS n3 ! n0 n7 ! ! SEP [3] [EOS]");
  const NamedTask count = make_task("selective-count");
  std::map<Token, int> answers;
  for (std::uint64_t index = 0; index < 4000; ++index)
    ++answers[answers_of(draw(*count.task, 20, index))[0]];
  REQUIRE(answers.size() == 8);
  double chi_square = 0;
  for (const auto& [answer, times] : answers) chi_square += std::pow(times - 500.0, 2) / 500;
  CHECK(chi_square < 24.3);  // 99.9% point, 7 degrees of freedom
}

TEST_CASE("addition: the oracle adds lowest digits first", "[golden]") {
  check_answer("addition", "BOS 7 2 + 5 1 SEP [2] [4] [0] [EOS]");
  check_answer("addition", "BOS 9 9 9 + 1 0 0 SEP [0] [0] [0] [1] [EOS]");
  check_answer("addition", "BOS 5 4 9 + 5 5 0 SEP [0] [0] [0] [1] [EOS]");
  check_answer("addition:2", "BOS 1 1 + 1 0 SEP [0] [0] [1] [EOS]");
}

TEST_CASE("ngram-lookup: the oracle finds what stands next to typed n-grams", "[golden]") {
  check_answer("ngram-lookup:gram=2", "BOS s4 s1 s9 s7 s1 s8 ? s1 s9 SEP [s7] [EOS]");
  check_answer("ngram-lookup:previous,gram=2", "BOS s4 s1 s9 s7 s1 s8 ? s1 s8 SEP [s7] [EOS]");
  check_answer("ngram-lookup:number,gram=2,digits=3",
               "BOS s4 s1 3 0 9 s1 s4 7 7 0 ? s1 s4 SEP [7] [7] [0] [EOS]");
  CHECK(refusal("ngram-lookup:symbols=4,gram=2", 17) ==
        "ngram-lookup: length 17 is more than the 4^2 n-grams there are; raise symbols or gram.");
}

TEST_CASE("ngram-lookup: the n-gram asked for stands in the text once", "[property]") {
  for (const char* name :
       {"ngram-lookup:symbols=4,gram=2", "ngram-lookup:previous,symbols=4,gram=2"}) {
    const NamedTask lookup = make_task(name);
    for (std::uint64_t index = 0; index < 50; ++index) {
      const Sample sample = draw(*lookup.task, 16, index);
      int times = 0;
      for (std::size_t p = 1; p < 16; ++p)
        times += sample.tokens[p] == sample.tokens[18] && sample.tokens[p + 1] == sample.tokens[19];
      REQUIRE(times == 1);
    }
  }
}

TEST_CASE("variable-tracking: the oracle follows typed chains", "[golden]") {
  check_answer("variable-tracking:hops=2",
               "BOS n3 ; v4 = d7 n2 ; v1 = v4 n0 n0 ; v9 = v1 ? d7 SEP [v4] [v1] [v9] [EOS]");
  check_answer("variable-tracking:hops=1,chains=2",
               "BOS ; v4 = d7 ; v2 = d1 n0 ; v1 = v2 ; v9 = v4 ? d1 SEP [v2] [v1] [EOS]");
}

TEST_CASE("noisy-recall: the oracle looks past noise", "[golden]") {
  check_answer("noisy-recall",
               "n3 s1 s2 = s3 s4 n7 n1 s2 s1 = s5 s6 n0 ? s2 s1 = [s5] [s6] ? s1 s2 = [s3] [s4]");
  const NamedTask noisy = make_task("noisy-recall");
  const Sample sample = draw(*noisy.task, 64);
  for (const Token token : sample.tokens) CHECK(noisy.task->token_name(token) != "_");
}

TEST_CASE("forgetting-recall: the last telling holds", "[golden]") {
  check_answer("forgetting-recall",
               "s1 s2 = s3 s4 _ s2 s1 = s5 s6 _ s1 s2 = s7 s7 _ ? s2 s1 = [s5] [s6] "
               "? s1 s2 = [s7] [s7]");
}

TEST_CASE("forgetting-recall: a quarter of the pairs tell a key again, after all or in between",
          "[property]") {
  for (const bool mixed : {false, true}) {
    const NamedTask task = make_task(mixed ? "forgetting-recall:order=mixed,density=1"
                                           : "forgetting-recall:density=1");
    bool between = false;
    for (std::uint64_t index = 0; index < 20; ++index) {
      const Sample sample = draw(*task.task, 240, index);  // 40 pairs
      std::set<std::pair<Token, Token>> keys;
      std::size_t again = 0, first_again = 40;
      for (std::size_t pair = 0; pair < 40; ++pair)
        if (!keys.insert({sample.tokens[6 * pair], sample.tokens[6 * pair + 1]}).second) {
          ++again;
          first_again = std::min(first_again, pair);
        }
      REQUIRE(again == 10);
      if (!mixed) REQUIRE(first_again == 30);
      between = between || first_again < 30;
    }
    CHECK(between == mixed);
  }
}

TEST_CASE("compositional-recall: all keys of two halves are told", "[property]") {
  const NamedTask task = make_task("compositional-recall:density=1");
  for (std::uint64_t index = 0; index < 20; ++index) {
    const Sample sample = draw(*task.task, 240, index);  // 40 pairs have room: 6 x 6 are told
    std::set<Token> first, second;
    std::set<std::pair<Token, Token>> keys;
    for (std::size_t p = 2; p < 240; ++p)
      if (task.task->token_name(sample.tokens[p]) == "=") {
        first.insert(sample.tokens[p - 2]);
        second.insert(sample.tokens[p - 1]);
        keys.insert({sample.tokens[p - 2], sample.tokens[p - 1]});
      }
    CHECK(first.size() == 6);
    CHECK(second.size() == 6);
    CHECK(keys.size() == 36);
  }
  CHECK(task.task->quantities(240).at(0).value == 36);
}
