#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

TEST_CASE("copy: the oracle repeats a typed sequence", "[golden]") {
  const NamedTask copy = make_task("copy");
  for (const char* text :
       {"BOS s3 s31 s0 s3 SEP [s3] [s31] [s0] [s3] [EOS]", "BOS s7 SEP [s7] [EOS]"}) {
    const Sample sample = typed_sample(*copy.task, text);
    CHECK(solved(*copy.task, sample) == answers_of(sample));
  }
  const Sample swapped = typed_sample(*copy.task, "BOS s3 s4 SEP [s4] [s3] [EOS]");
  CHECK(solved(*copy.task, swapped) != answers_of(swapped));
}

TEST_CASE("copy: a sample is the sequence twice in its frame", "[unit]") {
  const NamedTask copy = make_task("copy:symbols=4");
  Rng rng(1, Stream::test, 2);
  const Sample sample = copy.task->generate(rng, 3, Purpose::evaluation);
  const auto x = [&](std::size_t i) { return copy.task->token_name(sample.tokens[i]); };
  CHECK(text_of(*copy.task, sample) == "BOS " + x(1) + " " + x(2) + " " + x(3) + " SEP [" + x(1) +
                                           "] [" + x(2) + "] [" + x(3) + "] [EOS]");
  CHECK(std::ssize(sample.tokens) == copy.task->total_tokens(3, Purpose::evaluation));
  CHECK(std::ssize(sample.answers) == copy.task->answer_tokens(3, Purpose::evaluation));
}

TEST_CASE("copy: symbols are drawn equally often", "[property]") {
  const NamedTask copy = make_task("copy:symbols=8");
  Rng rng(2, Stream::test);
  const Sample sample = copy.task->generate(rng, 40000, Purpose::evaluation);
  std::map<Token, int> counts;
  for (std::size_t i = 1; i <= 40000; ++i) ++counts[sample.tokens[i]];
  REQUIRE(counts.size() == 8);
  double chi_square = 0;
  for (const auto& [token, count] : counts) chi_square += std::pow(count - 5000.0, 2) / 5000;
  CHECK(chi_square < 24.3);  // 99.9% point, 7 degrees of freedom
}

TEST_CASE("copy: chance is a guess of every symbol", "[unit]") {
  const NamedTask copy = make_task("copy");
  CHECK(copy.task->token_chance() == 0.03125);
  CHECK(copy.task->chance(1) == 0.03125);
  CHECK(copy.task->chance(2) == Approx(1.0 / 1024));
}

TEST_CASE("copy: unique draws no symbol twice, and every one equally often", "[property]") {
  const NamedTask copy = make_task("copy:unique,symbols=40");
  std::map<Token, int> counts;
  for (std::uint64_t index = 0; index < 1000; ++index) {
    Rng rng(4, Stream::test, index);
    const Sample sample = copy.task->generate(rng, 20, Purpose::evaluation);
    const std::set<Token> x(sample.tokens.begin() + 1, sample.tokens.begin() + 21);
    REQUIRE(x.size() == 20);
    for (const Token token : x) ++counts[token];
    REQUIRE(solved(*copy.task, sample) == answers_of(sample));
  }
  REQUIRE(counts.size() == 40);
  for (const auto& [token, count] : counts) CHECK(std::abs(count - 500) < 70);  // 4.4 deviations
  CHECK_NOTHROW(copy.task->check_length(40));
  CHECK_THROWS_WITH(
      copy.task->check_length(41),
      "copy: length 41 needs as many different symbols, but symbols=40; raise symbols.");
}

TEST_CASE("copy, reverse, sort: crowded training samples have few symbols, chosen anew",
          "[property]") {
  for (const std::string name : {"copy", "reverse", "sort"}) {
    CAPTURE(name);
    const NamedTask crowded = make_task(name + ":symbols=40,crowded=0.3"),
                    plain = make_task(name + ":symbols=40");
    CHECK(crowded.label == name + ":symbols=40,crowded=0.3");
    std::map<std::size_t, int> samples;  // by number of symbols
    std::set<Token> seen;
    for (std::uint64_t index = 0; index < 2000; ++index) {
      Rng rng(5, Stream::train, index);
      const Sample sample = crowded.task->generate(rng, 200, Purpose::training);
      const std::set<Token> x(sample.tokens.begin() + 1, sample.tokens.begin() + 201);
      ++samples[x.size()];
      if (x.size() <= 10) seen.insert(x.begin(), x.end());
      Rng there(5, Stream::test, index), here(5, Stream::test, index);
      REQUIRE(crowded.task->generate(there, 30, Purpose::evaluation).tokens ==
              plain.task->generate(here, 30, Purpose::evaluation).tokens);
    }
    int few = 0;
    for (std::size_t symbols = 2; symbols <= 10; ++symbols) {
      CHECK(samples[symbols] > 67 - 34);  // four standard deviations
      CHECK(samples[symbols] < 67 + 34);
      few += samples[symbols];
    }
    CHECK(few > 600 - 82);
    CHECK(few < 600 + 82);
    CHECK(seen.size() == 40);
    // 200 draws leave on average a quarter of one of 40 symbols out.
    for (const auto& [symbols, count] : samples) CHECK((symbols <= 10 || symbols >= 36));
  }
}

TEST_CASE("copy: what draws no symbol twice is not crowded", "[unit]") {
  CHECK_THROWS_WITH(
      make_task("copy:unique,crowded=0.5"),
      "copy: symbols of which none comes twice cannot be crowded; leave out crowded or "
      "draw=unique.");
}
