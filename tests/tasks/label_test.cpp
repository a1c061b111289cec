// Tasks whose answers are labels: oracles against typed samples, worked out by hand.

#include <cmath>
#include <map>

#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

void check_labels(const char* task, const char* text) {
  INFO(task << ": " << text);
  const NamedTask named = make_task(task);
  const Sample sample = typed_labels(*named.task, text);
  CHECK(solved(*named.task, sample) == answers_of(sample));
}

Sample draw(const Task& task, std::int64_t length, Purpose purpose, std::uint64_t index = 0) {
  Rng rng(12, Stream::test, index);
  return task.generate(rng, length, purpose);
}

double share_of(const Task& task, const Sample& sample, const std::string& name) {
  double count = 0;
  for (const Token token : sample.tokens) count += task.token_name(token) == name ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("n-back: the oracle labels typed sequences", "[golden]") {
  check_labels("n-back", "BOS s4 [s0] s2 [s0] s7 [s4] s2 [s2] s1 [s7] EOS");
  check_labels("n-back:n=1", "BOS s4 [s0] s2 [s4] s7 [s2] EOS");
}

TEST_CASE("local-count: the oracle labels typed sequences", "[golden]") {
  check_labels("local-count", "BOS s3 [0] s3 [1] s3 [2] s7 [0] s7 [1] s3 [0] s3 [1] EOS");
}

TEST_CASE("local-count: runs are from 2 to 48 long and differ from their neighbours",
          "[property]") {
  const NamedTask local = make_task("local-count");
  std::map<std::int64_t, int> runs;
  const Sample sample = draw(*local.task, 60000, Purpose::evaluation);
  std::int64_t run = 1;
  for (std::size_t i = 2; i <= 60000; ++i) {
    if (sample.tokens[i] == sample.tokens[i - 1]) {
      ++run;
      continue;
    }
    if (i < 60000) ++runs[run];
    run = 1;
  }
  // The last run may be cut; all others keep the bounds, each length about 2400 / 47 times.
  CHECK(runs.begin()->first == 2);
  CHECK(runs.rbegin()->first == 48);
  CHECK(runs.size() == 47);
  for (const auto& [length, count] : runs) CHECK(count == Approx(51).margin(32));
}

TEST_CASE("parity: the oracle labels typed sequences", "[golden]") {
  check_labels("parity", "BOS 1 [1] 0 [1] 1 [0] 1 [1] 0 [1] EOS");
  const NamedTask last = make_task("parity:last");
  const Sample sample = typed_sample(*last.task, "BOS 1 0 1 1 SEP [1] [EOS]");
  CHECK(solved(*last.task, sample) == answers_of(sample));
}

TEST_CASE("majority: the oracle labels typed sequences, ties to the symbol met first", "[golden]") {
  check_labels("majority",
               "BOS s2 [s2] s1 [s2] s1 [s1] s2 [s2] s3 [s2] s3 [s2] s3 [s3] s1 [s1] EOS");
}

TEST_CASE("modular-addition: the oracle labels typed sequences", "[golden]") {
  check_labels("modular-addition", "BOS 3 [3] 4 [2] 1 [3] 0 [3] 2 [0] EOS");
  check_labels("modular-addition:2", "BOS 1 [1] 1 [0] 0 [0] 1 [1] EOS");
}

// (a o b)[j] = a[b[j]]: 10234 o 01243 = 10243, and 10243 o 12340 = 02431.
TEST_CASE("permutation: the oracle labels typed sequences", "[golden]") {
  check_labels("permutation", "BOS 10234 [10234] 01243 [10243] 12340 [02431] EOS");
  CHECK(make_task("permutation").task->vocabulary_size() == 123);
  CHECK(make_task("permutation:A5").task->vocabulary_size() == 63);
  CHECK(make_task("permutation:A5").task->token_name(3) == "01234");
}

TEST_CASE("dyck: the oracle labels typed sequences", "[golden]") {
  check_labels("dyck", "BOS (0 [0] (1 [1] 1) [0] (0 [0] (1 [1] 1) [0] 0) [0] 0) [none] EOS");
}

TEST_CASE("dyck: no more brackets are open than allowed", "[property]") {
  const NamedTask dyck = make_task("dyck:depth=3");
  const Sample sample = draw(*dyck.task, 2000, Purpose::evaluation);
  int open = 0, most = 0;
  for (const Token token : sample.tokens) {
    const std::string name = dyck.task->token_name(token);
    open += name.front() == '(' ? 1 : name.back() == ')' ? -1 : 0;
    REQUIRE(open >= 0);
    most = std::max(most, open);
  }
  CHECK(most == 3);
}

TEST_CASE("flip-flop: the oracle answers typed reads", "[golden]") {
  check_labels("flip-flop", "BOS w 1 i 0 r [1] 1 i 0 i 0 r [1] 1 w 0 i 1 r [0] 0 EOS");
  check_labels("flip-flop:last", "BOS w 1 i 0 w 0 i 1 r [0] 0 EOS");
}

TEST_CASE("flip-flop: instructions have the shares that Liu et al. give", "[property]") {
  const NamedTask reads = make_task("flip-flop");
  const Sample training = draw(*reads.task, 20000, Purpose::training);
  CHECK(share_of(*reads.task, training, "i") == Approx(16000).margin(230));
  CHECK(share_of(*reads.task, training, "w") == Approx(2000).margin(170));
  CHECK(share_of(*reads.task, training, "r") == Approx(2000).margin(170));
  const Sample sparse = draw(*reads.task, 20000, Purpose::evaluation);
  CHECK(share_of(*reads.task, sparse, "i") == Approx(19600).margin(80));
  const NamedTask dense = make_task("flip-flop:ignores=0.1");
  CHECK(share_of(*dense.task, draw(*dense.task, 20000, Purpose::evaluation), "i") ==
        Approx(2000).margin(170));
  // With one read at the end, 0.8 leaves 1 write in 9, 0.1 leaves 9 in 11.
  const NamedTask last = make_task("flip-flop:last");
  CHECK(share_of(*last.task, draw(*last.task, 20000, Purpose::training), "w") ==
        Approx(20000 / 9.0).margin(180));
  CHECK(draw(*last.task, 500, Purpose::evaluation).answers == std::vector<std::int32_t>{1000});
}

TEST_CASE("mqar: the oracle answers typed queries", "[golden]") {
  check_labels("mqar:pairs=3,vocabulary=20",
               "BOS k3 v8 k5 v1 k0 v4 k5 [v1] _ k3 [v8] _ _ _ k0 [v4] _ EOS");
}

TEST_CASE("mqar: each key is asked once, mostly soon", "[property]") {
  const NamedTask mqar = make_task("mqar:pairs=4");
  double soon = 0;
  constexpr int samples = 2000;
  for (std::uint64_t index = 0; index < samples; ++index) {
    const Sample sample = draw(*mqar.task, 72, Purpose::evaluation, index);
    REQUIRE(sample.answers.size() == 4);
    std::set<Token> asked, told;
    for (std::size_t i = 0; i < 4; ++i) {
      asked.insert(sample.tokens[static_cast<std::size_t>(sample.answers[i]) - 1]);
      told.insert(sample.tokens[1 + 2 * i]);
    }
    REQUIRE(asked == told);
    soon += sample.answers.front() == 10 ? 1 : 0;
  }
  // Successive sampling by (k + 1)^-0.99 takes slot 0 of 32 among four with 0.70473, summed over
  // all orders; four standard deviations.
  CHECK(soon / samples == Approx(0.70473).margin(0.041));
}
