#include <cmath>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

Sample draw(const Task& task, std::int64_t length, Purpose purpose, std::uint64_t index = 0) {
  Rng rng(6, Stream::test, index);
  return task.generate(rng, length, purpose);
}

/// Where the needle that the first question asks for starts, for keys of two tokens.
std::size_t asked_start(const Task& task, const Sample& sample, std::size_t length) {
  for (std::size_t p = 0; p + 2 < length; ++p)
    if (task.token_name(sample.tokens[p]) == "!" &&
        sample.tokens[p + 1] == sample.tokens[length + 1] &&
        sample.tokens[p + 2] == sample.tokens[length + 2])
      return p;
  return length;
}

std::int64_t needles_in(const Task& task, const Sample& sample) {
  std::int64_t count = 0;
  for (const Token token : sample.tokens) count += task.token_name(token) == "!" ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("needle: the oracle finds typed needles", "[golden]") {
  const NamedTask needle = make_task("needle");
  const Sample sample = typed_sample(
      *needle.task, "n3 ! s1 s2 s9 n0 n15 ! s2 s1 s8 ! s1 s1 s1 n2 ? s2 s1 [s8] ? s1 s2 [s9]");
  CHECK(solved(*needle.task, sample) == answers_of(sample));
  const Sample wrong =
      typed_sample(*needle.task, "n3 ! s1 s2 s9 n0 n15 ! s2 s1 s8 n2 ? s2 s1 [s9]");
  CHECK(solved(*needle.task, wrong) != answers_of(wrong));
}

TEST_CASE("needle: the oracle finds typed needles of other widths", "[golden]") {
  const NamedTask needle = make_task("needle:key_length=1,value_length=3");
  const Sample sample =
      typed_sample(*needle.task, "! s5 s1 s2 s3 n1 n1 ! s1 s4 s4 s6 ? s1 [s4] [s4] [s6]");
  CHECK(solved(*needle.task, sample) == answers_of(sample));
}

TEST_CASE("needle: density and count say how many needles there are", "[unit]") {
  const NamedTask dense = make_task("needle");
  CHECK(needles_in(*dense.task, draw(*dense.task, 64, Purpose::evaluation)) == 8);
  CHECK(needles_in(*dense.task, draw(*dense.task, 65536, Purpose::evaluation)) == 8192);
  const NamedTask sparse = make_task("needle:density=0.1,value_length=2");
  CHECK(needles_in(*sparse.task, draw(*sparse.task, 1000, Purpose::evaluation)) == 20);
  const NamedTask three = make_task("needle:needles=3");
  for (const std::int64_t length : {12, 13, 500})
    CHECK(needles_in(*three.task, draw(*three.task, length, Purpose::evaluation)) == 3);
  CHECK_THROWS_AS(three.task->check_length(11), InputError);
}

TEST_CASE("needle: evaluation asks once, training as often as told", "[unit]") {
  const NamedTask needle = make_task("needle:training_questions=5");
  const Task& task = *needle.task;
  const Sample test = draw(task, 32, Purpose::evaluation);
  CHECK(test.tokens.size() == 36);
  CHECK(test.answers == std::vector<std::int32_t>{35});
  CHECK(task.token_name(test.tokens[32]) == "?");
  const Sample training = draw(task, 32, Purpose::training);
  CHECK(training.tokens.size() == 52);
  CHECK(training.answers == std::vector<std::int32_t>{35, 39, 43, 47, 51});
  CHECK(training.depth_decile == -1);
  CHECK(task.total_tokens(32, Purpose::training) == 52);
  CHECK(task.answer_tokens(32, Purpose::training) == 5);
}

TEST_CASE("needle: a fixed depth is where the asked needle lies", "[property]") {
  const struct {
    const char* depth;
    double share;
    int decile;
  } cases[] = {{"0", 0, 0}, {"25", 0.25, 2}, {"50", 0.5, 5}, {"99", 0.99, 9}, {"100", 1, 9}};
  for (const auto& each : cases)
    for (const char* crowd : {"needles=1", "needles=7", "density=0.5", "density=1"}) {
      INFO(each.depth << " percent, " << crowd);
      const NamedTask needle = make_task(std::string("needle:depth=") + each.depth + "," + crowd);
      for (const std::int64_t length : {400, 1000})
        for (std::uint64_t index = 0; index < 20; ++index) {
          const Sample sample = draw(*needle.task, length, Purpose::evaluation, index);
          const double start = static_cast<double>(
              asked_start(*needle.task, sample, static_cast<std::size_t>(length)));
          // Where all is needles, a start can only be a multiple of their width, 4.
          REQUIRE(std::abs(start - each.share * static_cast<double>(length - 4)) <= 2.5);
          REQUIRE(std::abs(sample.depth_decile - each.decile) <= (each.decile % 9 == 0 ? 0 : 1));
          REQUIRE(solved(*needle.task, sample) == answers_of(sample));
        }
    }
}

TEST_CASE("needle: depth 0, 50 and 100 of a lone needle are exact", "[unit]") {
  const auto sample_at = [](const char* name) {
    return draw(*make_task(name).task, 104, Purpose::evaluation);
  };
  const NamedTask any = make_task("needle:needles=1");
  CHECK(asked_start(*any.task, sample_at("needle:needles=1,depth=0"), 104) == 0);
  CHECK(sample_at("needle:needles=1,depth=0").depth_decile == 0);
  CHECK(asked_start(*any.task, sample_at("needle:needles=1,depth=50"), 104) == 50);
  CHECK(sample_at("needle:needles=1,depth=50").depth_decile == 5);
  CHECK(asked_start(*any.task, sample_at("needle:needles=1,depth=100"), 104) == 100);
  CHECK(sample_at("needle:needles=1,depth=100").depth_decile == 9);
}

TEST_CASE("needle: a uniform depth reaches every decile equally", "[property]") {
  for (const char* name : {"needle", "needle:needles=1"}) {
    const NamedTask needle = make_task(name);
    std::vector<int> deciles(10);
    for (std::uint64_t index = 0; index < 5000; ++index) {
      const Sample sample = draw(*needle.task, 403, Purpose::evaluation, index);
      const std::size_t start = asked_start(*needle.task, sample, 403);
      REQUIRE(sample.depth_decile == std::min(9, static_cast<int>(start * 10 / 399)));
      ++deciles[static_cast<std::size_t>(sample.depth_decile)];
    }
    double chi_square = 0;
    for (const int count : deciles) chi_square += std::pow(count - 500.0, 2) / 500;
    CHECK(chi_square < 27.9);  // 99.9% point, 9 degrees of freedom
  }
}

TEST_CASE("needle: the needle asked for has every rank equally often", "[property]") {
  const NamedTask needle = make_task("needle:needles=8");
  std::vector<int> ranks(8);
  for (std::uint64_t index = 0; index < 4000; ++index) {
    const Sample sample = draw(*needle.task, 64, Purpose::evaluation, index);
    const std::size_t start = asked_start(*needle.task, sample, 64);
    std::size_t rank = 0;
    for (std::size_t p = 0; p < start; ++p)
      rank += needle.task->token_name(sample.tokens[p]) == "!" ? 1 : 0;
    ++ranks[rank];
  }
  double chi_square = 0;
  for (const int count : ranks) chi_square += std::pow(count - 500.0, 2) / 500;
  CHECK(chi_square < 24.3);  // 99.9% point, 7 degrees of freedom
}

TEST_CASE("needle: with density=1 the haystack is needles", "[unit]") {
  const NamedTask needle = make_task("needle:density=1");
  for (std::uint64_t index = 0; index < 20; ++index) {
    const Sample sample = draw(*needle.task, 64, Purpose::evaluation, index);
    CHECK(needles_in(*needle.task, sample) == 16);
    CHECK(asked_start(*needle.task, sample, 64) % 4 == 0);
  }
}

TEST_CASE("needle: keys of a sample differ", "[property]") {
  const NamedTask needle = make_task("needle:alphabet=8");  // 64 keys
  const Sample sample = draw(*needle.task, 512, Purpose::evaluation);
  std::set<std::pair<Token, Token>> keys;
  for (std::size_t p = 0; p < 512; ++p)
    if (needle.task->token_name(sample.tokens[p]) == "!")
      keys.insert({sample.tokens[p + 1], sample.tokens[p + 2]});
  CHECK(keys.size() == 64);
  CHECK_THROWS_AS(needle.task->check_length(520), InputError);
}

TEST_CASE("needle: chance is a guess of the value", "[unit]") {
  const NamedTask needle = make_task("needle:alphabet=10,value_length=2");
  CHECK(needle.task->chance(64) == Approx(0.01));
  CHECK(needle.task->token_chance() == 0.1);
}
