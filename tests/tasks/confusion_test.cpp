// Wrong answers by kinds: typed samples whose kinds and chances are worked out by hand, and what
// every task's confusions must keep, by iterating the catalog.

#include <map>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"
#include "train/evaluator.hpp"

using namespace attnspan;

namespace {

/// The kinds of one wrong answer, by its token's name, at the i-th answer; with `right` elsewhere.
std::set<std::string> kinds_of(const Task& task, const Sample& sample, std::size_t i,
                               const std::string& wrong) {
  std::vector<Token> predicted = answers_of(sample);
  predicted[i] = token_named(task, wrong);
  const ErrorCounts errors = explain(*task.confusions(), sample, predicted);
  CHECK(errors.wrong == 1);
  CHECK(errors.answers == std::ssize(sample.answers));
  std::set<std::string> kinds;
  for (const ErrorKind& kind : errors.kinds)
    if (kind.wrong > 0) kinds.insert(kind.name);
  return kinds;
}

/// What random wrong answers would be, by kind.
std::map<std::string, double> random_shares(const Task& task, const Sample& sample) {
  const ErrorCounts errors = explain(*task.confusions(), sample, answers_of(sample));
  CHECK(errors.wrong == 0);
  std::map<std::string, double> shares;
  for (const ErrorKind& kind : errors.kinds) shares[kind.name] = errors.random_share(kind);
  return shares;
}

using Kinds = std::set<std::string>;

}  // namespace

TEST_CASE("recall: a wrong answer is of the pair that it was taken from", "[golden]") {
  for (const bool grouped : {false, true}) {
    const NamedTask recall = make_task(grouped ? "recall:layout=grouped" : "recall");
    const std::string pairs =
        "s1 s2 = s3 s4 _ s7 s2 = s5 s6 _ s1 s8 = s3 s9 _ s2 s7 = s10 s11 _ s20 s21 = s22 s23 _ ";
    const Sample sample =
        typed_sample(*recall.task, grouped ? "BOS " + pairs + "? s1 s2 SEP ? [s3] [s4] EOS"
                                           : pairs + "? s1 s2 = [s3] [s4]");
    const auto of = [&](std::size_t i, const std::string& wrong) {
      return kinds_of(*recall.task, sample, i, wrong);
    };
    CHECK(of(0, "s5") == Kinds{"shares the second key token"});
    CHECK(of(0, "s10") == Kinds{"has a key token in another place"});
    CHECK(of(0, "s22") == Kinds{"a value that shares nothing"});
    CHECK(of(0, "s4") == Kinds{"no value of this sample"});  // at this place of a value
    CHECK(of(0, "_") == Kinds{"no value of this sample"});
    CHECK(of(1, "s9") == Kinds{"shares the first key token", "shares the first value token"});
    CHECK(of(1, "s6") == Kinds{"shares the second key token"});

    // Of wrong ones, at the first place three values (s3 is right twice), at the second four.
    const auto shares = random_shares(*recall.task, sample);
    CHECK(shares.at("shares the first key token") == Approx((0 + 1.0 / 4) / 2));
    CHECK(shares.at("shares the second key token") == Approx((1.0 / 3 + 1.0 / 4) / 2));
    CHECK(shares.at("has a key token in another place") == Approx((1.0 / 3 + 1.0 / 4) / 2));
    CHECK(shares.at("shares the first value token") == Approx((0 + 1.0 / 4) / 2));
    CHECK(shares.at("a value that shares nothing") == Approx((1.0 / 3 + 1.0 / 4) / 2));
    CHECK(shares.at("no value of this sample") == 0);
  }
}

TEST_CASE("needle: keys of two tokens, values of one", "[golden]") {
  const NamedTask needle = make_task("needle");
  const Sample sample = typed_sample(
      *needle.task, "! s1 s2 s3 n0 ! s1 s4 s5 n1 ! s2 s9 s6 ! s8 s9 s7 n3 ? s1 s2 [s3]");
  CHECK(kinds_of(*needle.task, sample, 0, "s5") == Kinds{"shares the first key token"});
  CHECK(kinds_of(*needle.task, sample, 0, "s6") == Kinds{"has a key token in another place"});
  CHECK(kinds_of(*needle.task, sample, 0, "s7") == Kinds{"a value that shares nothing"});
  CHECK(kinds_of(*needle.task, sample, 0, "n3") == Kinds{"no value of this sample"});
  CHECK(random_shares(*needle.task, sample).at("shares the first key token") == Approx(1.0 / 3));
}

TEST_CASE("copy: a jump is to where most of the last symbols stand, too", "[golden]") {
  const NamedTask copy = make_task("copy");
  const std::string x = "s1 s2 s3 s9 s2 s3 s4 s3 s5 ";
  const Sample sample = typed_sample(
      *copy.task, "BOS " + x + "SEP [s1] [s2] [s3] [s9] [s2] [s3] [s4] [s3] [s5] [EOS]");
  const auto of = [&](std::size_t i, const std::string& wrong) {
    return kinds_of(*copy.task, sample, i, wrong);
  };
  CHECK(of(3, "s4") == Kinds{"follows the last 2 symbols elsewhere"});  // after s2 s3
  CHECK(of(3, "s5") == Kinds{"follows the last symbol elsewhere"});     // after s3
  CHECK(of(3, "s1") == Kinds{"another symbol of the sequence"});
  CHECK(of(3, "s7") == Kinds{"no symbol of the sequence"});
  CHECK(of(3, "EOS") == Kinds{"ends too early"});
  CHECK(of(9, "s4") == Kinds{"goes on after the end"});
  CHECK(of(0, "s9") == Kinds{"another symbol of the sequence"});
}

TEST_CASE("sort: a wrong symbol is so many places away", "[golden]") {
  const NamedTask sort = make_task("sort");
  const Sample sample = typed_sample(
      *sort.task, "BOS s1 s5 s3 s1 s3 s3 s9 SEP [s1] [s1] [s3] [s3] [s3] [s5] [s9] [EOS]");
  CHECK(kinds_of(*sort.task, sample, 2, "s1") == Kinds{"off by 1 place"});
  CHECK(kinds_of(*sort.task, sample, 2, "s5") == Kinds{"off by 2 or 3 places"});
  CHECK(kinds_of(*sort.task, sample, 2, "s9") == Kinds{"off by 4 to 7 places"});
  CHECK(kinds_of(*sort.task, sample, 2, "s2") == Kinds{"no symbol of the sequence"});
  CHECK(kinds_of(*sort.task, sample, 7, "s9") == Kinds{"goes on after the end"});
}

TEST_CASE("flip-flop: the other bit may be one that stands nearer", "[golden]") {
  const NamedTask task = make_task("flip-flop");
  const Sample sample = typed_labels(*task.task, "BOS w 0 w 1 i 0 r [1] 1 i 1 r [1] 1 EOS");
  CHECK(kinds_of(*task.task, sample, 0, "0") == Kinds{"the bit of the instruction before",
                                                      "the bit written before the last",
                                                      "the bit most common so far"});
  CHECK(kinds_of(*task.task, sample, 1, "0") == Kinds{"the bit written before the last"});
  CHECK(kinds_of(*task.task, sample, 1, "w") == Kinds{"no bit"});
  CHECK(random_shares(*task.task, sample).at("the bit of the instruction before") == 0.5);
}

TEST_CASE("mqar: a wrong value was told beside the right one, or elsewhere", "[golden]") {
  const NamedTask task = make_task("mqar:pairs=4,vocabulary=16");
  const Sample sample = typed_labels(*task.task, "BOS k1 v1 k2 v2 k3 v3 k4 v4 _ _ k3 [v3] _ EOS");
  CHECK(kinds_of(*task.task, sample, 0, "v2") == Kinds{"the value told before it"});
  CHECK(kinds_of(*task.task, sample, 0, "v4") == Kinds{"the value told after it"});
  CHECK(kinds_of(*task.task, sample, 0, "v1") == Kinds{"a value told elsewhere"});
  CHECK(kinds_of(*task.task, sample, 0, "v7") == Kinds{"no value of this sample"});
  CHECK(task.task->evidence(sample, 0) == std::vector<std::int32_t>{6});
}

TEST_CASE("the tokens that hold an answer are the answer", "[property]") {
  int tasks = 0;
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    INFO(entry.name);
    bool says = false;
    for (std::uint64_t index = 0; index < 4; ++index) {
      Rng rng(6, Stream::test, index);
      const Sample sample =
          named.task->generate(rng, shortest_from(*named.task, 64), Purpose::evaluation);
      for (std::size_t i = 0; i < sample.answers.size(); ++i)
        for (const std::int32_t place : named.task->evidence(sample, i)) {
          says = true;
          CHECK(place < sample.answers[i]);
          CHECK(sample.tokens[static_cast<std::size_t>(place)] == sample.target(i));
        }
    }
    tasks += says ? 1 : 0;
  }
  CHECK(tasks >= 8);
}

TEST_CASE("every task that tells wrong answers apart has a kind for each", "[property]") {
  int tasks = 0;
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    const std::optional<Confusions> confusions = named.task->confusions();
    if (!confusions) continue;
    ++tasks;
    INFO(entry.name);
    CHECK(confusions->kinds.size() <= 32);
    std::set<std::string> names(confusions->kinds.begin(), confusions->kinds.end());
    names.insert(confusions->otherwise);
    CHECK(names.size() == confusions->kinds.size() + 1);
    for (std::uint64_t index = 0; index < 4; ++index) {
      Rng rng(5, Stream::test, index);
      const Sample sample =
          named.task->generate(rng, shortest_from(*named.task, 64), Purpose::evaluation);
      std::vector<Token> predicted = answers_of(sample);
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        std::set<Token> tokens;
        for (const Lure& lure : confusions->lures(sample, i)) {
          CHECK(tokens.insert(lure.token).second);
          CHECK(lure.weight >= 0);
          CHECK(static_cast<std::uint64_t>(lure.kinds) >> confusions->kinds.size() == 0);
        }
        predicted[i] = (predicted[i] + 1) % named.task->vocabulary_size();
      }
      const ErrorCounts errors = explain(*confusions, sample, predicted);
      CHECK(errors.wrong == errors.answers);
      CHECK(errors.places <= errors.answers);
      for (const ErrorKind& kind : errors.kinds)
        CHECK((kind.random >= 0 && kind.random <= static_cast<double>(errors.places) + 1e-9));
    }
  }
  CHECK(tasks >= 8);
}
