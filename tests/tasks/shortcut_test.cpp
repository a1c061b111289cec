// Shortcuts: what every one must keep, by iterating the catalog, and scores worked out by hand.

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

Sample draw(const Task& task, std::int64_t length, std::uint64_t index) {
  Rng rng(11, Stream::test, index);
  return task.generate(rng, length, Purpose::evaluation);
}

/// Share of samples that the shortcut of this name gets wholly right.
double exact_match(const std::string& name, const std::string& shortcut, std::int64_t length,
                   int samples) {
  const NamedTask named = make_task(name);
  for (const Shortcut& found : named.task->shortcuts()) {
    if (found.name != shortcut) continue;
    int exact = 0;
    for (int i = 0; i < samples; ++i) {
      const Sample sample = draw(*named.task, length, static_cast<std::uint64_t>(i));
      exact += found.solve(hide_answers(sample), sample.answers) == answers_of(sample) ? 1 : 0;
    }
    return exact / static_cast<double>(samples);
  }
  throw std::invalid_argument(name + " has no shortcut " + shortcut);
}

}  // namespace

TEST_CASE("every task names its shortcuts, which answer every sample alike each time",
          "[property]") {
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    const std::vector<Shortcut> shortcuts = named.task->shortcuts();
    CHECK_FALSE(shortcuts.empty());
    std::set<std::string> names;
    const Sample sample = draw(*named.task, shortest_from(*named.task, 40), 1);
    const std::vector<Token> hidden = hide_answers(sample);
    for (const Shortcut& shortcut : shortcuts) {
      INFO(entry.name << ": " << shortcut.name);
      CHECK_FALSE(shortcut.summary.empty());
      CHECK(names.insert(shortcut.name).second);
      if (!is_determined(*named.task)) {
        for (const std::size_t size : {0u, 1u, 2u, 20u}) {
          double sum = 0;
          for (Token next = 0; next < named.task->vocabulary_size(); ++next) {
            const double p = shortcut.probability(std::span(sample.tokens).first(size), next);
            CHECK(p > 0);
            sum += p;
          }
          CHECK(sum == Approx(1));
        }
        continue;
      }
      const std::vector<Token> guess = shortcut.solve(hidden, sample.answers);
      REQUIRE(guess.size() == sample.answers.size());
      for (const Token token : guess) {
        CHECK(token >= -1);
        CHECK(token < named.task->vocabulary_size());
      }
      CHECK(shortcut.solve(hidden, sample.answers) == guess);
      // A sequence that is cut anywhere is no task, but must not be the end of the program either.
      for (std::size_t size = 0; size < hidden.size(); ++size) {
        std::vector<std::int32_t> answers;
        for (const std::int32_t p : sample.answers)
          if (static_cast<std::size_t>(p) < size) answers.push_back(p);
        REQUIRE(shortcut.solve(std::span(hidden).first(size), answers).size() == answers.size());
      }
    }
  }
}

// Some fail only where much is alike: a key in another order is rare among few keys.
TEST_CASE("no shortcut solves its task", "[property]") {
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    if (!is_determined(*named.task)) continue;  // there is no right answer to be found
    for (const Shortcut& shortcut : named.task->shortcuts()) {
      INFO(entry.name << ": " << shortcut.name);
      bool fails = false;
      for (const std::int64_t length : {64, 3000})
        for (std::uint64_t index = 0; index < 400 && !fails; ++index) {
          const Sample sample = draw(*named.task, shortest_from(*named.task, length), index);
          fails = shortcut.solve(hide_answers(sample), sample.answers) != answers_of(sample);
        }
      CHECK(fails);
    }
  }
}

// Two of the four keys of two binary tokens, one asked for, binary values. The other key shares the
// last token in 1/3 of the samples; then the pair asked for is told last in half of them, and its
// value is the same in half of the rest: 2/3 + 1/3 * 3/4. The two keys have the same tokens only
// where they are 01 and 10, in 1/6 of the samples.
TEST_CASE("recall: shortcuts score what can be worked out by hand", "[property]") {
  const std::string task = "recall:alphabet=2,pairs=2,value_length=1,queries=1";
  const auto score = [&](const char* shortcut) { return exact_match(task, shortcut, 20, 8000); };
  CHECK(score("last key token") == Approx(11.0 / 12).margin(0.0124));  // four standard deviations
  CHECK(score("first key token") == Approx(11.0 / 12).margin(0.0124));
  CHECK(score("key in any order") == Approx(23.0 / 24).margin(0.009));
  CHECK(score("last value") == Approx(0.75).margin(0.0194));
  CHECK(score("first value") == Approx(0.75).margin(0.0194));
}

TEST_CASE("recall: shortcuts answer a typed sample with what they see", "[golden]") {
  for (const char* name : {"recall", "recall:layout=grouped"}) {
    const NamedTask recall = make_task(name);
    const Sample sample =
        name == std::string("recall")
            ? typed_sample(*recall.task,
                           "s1 s2 = s3 s4 _ s7 s2 = s5 s5 _ s1 s8 = s6 s3 _ s2 s1 = s5 s9 _ "
                           "? s1 s2 = [s3] [s4]")
            : typed_sample(*recall.task,
                           "BOS s1 s2 = s3 s4 _ s7 s2 = s5 s5 _ s1 s8 = s6 s3 _ s2 s1 = s5 s9 _ "
                           "? s1 s2 SEP ? [s3] [s4] EOS");
    std::map<std::string, std::string> guesses;
    for (const Shortcut& shortcut : recall.task->shortcuts())
      for (const Token token : shortcut.solve(hide_answers(sample), sample.answers))
        guesses[shortcut.name] += recall.task->token_name(token);
    CHECK(guesses == std::map<std::string, std::string>{{"first key token", "s6s3"},
                                                        {"last key token", "s5s5"},
                                                        {"key in any order", "s5s9"},
                                                        {"last value", "s5s9"},
                                                        {"first value", "s3s4"},
                                                        {"most common token", "s5s5"}});
  }
}

TEST_CASE("needle: any needle's value is right for one of them, or by luck", "[property]") {
  const std::string task = "needle:needles=4,alphabet=8";
  CHECK(exact_match(task, "last value", 40, 8000) == Approx(0.25 + 0.75 / 8).margin(0.0213));
  CHECK(exact_match("needle:needles=1", "last value", 40, 100) == 1);
}

// x = abc of two symbols. Following the first: b is right always, c where b is not a or c is b.
TEST_CASE("copy: following one symbol scores what can be worked out by hand", "[property]") {
  CHECK(exact_match("copy:symbols=2", "follow the first", 3, 8000) == Approx(0.75).margin(0.0194));
  // aab and bba, whose last successor of the first symbol is wrong already, and no other.
  CHECK(exact_match("copy:symbols=2", "follow the last", 3, 8000) == Approx(0.75).margin(0.0194));
  CHECK(exact_match("copy:symbols=2", "most common symbol", 2, 8000) == Approx(0.5).margin(0.0224));
}

TEST_CASE("sort: without counting only symbols that differ are right", "[property]") {
  CHECK(exact_match("sort:symbols=4", "each once", 2, 8000) == Approx(0.75).margin(0.0194));
  CHECK(exact_match("sort:symbols=4", "evenly", 2, 1000) == 1);
  // Three of two symbols: evenly makes aab of any two, which abb is not: 2/8 + 3/8.
  CHECK(exact_match("sort:symbols=2", "evenly", 3, 8000) == Approx(0.625).margin(0.0217));
}

// abc of two symbols, backwards: c, b = what came before the last c, and so on. Wrong are baa,
// which goes a a a, and abb.
TEST_CASE("reverse: going back by one symbol scores what can be worked out by hand", "[property]") {
  CHECK(exact_match("reverse:symbols=2", "go back from the last", 3, 8000) ==
        Approx(0.75).margin(0.0194));
}
