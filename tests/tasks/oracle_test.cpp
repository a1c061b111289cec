// What every task in the catalog must keep, by iterating it: a new task is tested by being there.

#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

bool is_allowed(const Task& task, std::int64_t length) {
  try {
    task.check_length(length);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

std::int64_t smallest_length(const Task& task) {
  std::int64_t length = 1;
  while (!is_allowed(task, length)) ++length;
  return length;
}

/// The smallest, usual and large lengths that the task allows.
std::vector<std::int64_t> lengths_of(const Task& task) {
  std::vector<std::int64_t> lengths;
  const std::int64_t smallest = smallest_length(task);
  for (const std::int64_t length : {smallest, smallest + 1, smallest + 5, std::int64_t{33},
                                    std::int64_t{64}, std::int64_t{1000}, std::int64_t{20000}})
    if (is_allowed(task, length)) lengths.push_back(length);
  return lengths;
}

/// Calls check(task, length, purpose) for every task at every length for both purposes.
template <class Check>
void for_every_task(const Check& check) {
  REQUIRE(task_catalog().size() >= 4);
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    for (const std::int64_t length : lengths_of(*named.task))
      for (const Purpose purpose : {Purpose::training, Purpose::evaluation}) {
        INFO(entry.name << " at length " << length << " for "
                        << (purpose == Purpose::training ? "training" : "evaluation"));
        check(*named.task, length, purpose);
      }
  }
}

Sample draw(const Task& task, std::int64_t length, Purpose purpose, std::uint64_t index,
            Stream stream = Stream::test) {
  Rng rng(5, stream, index);
  return task.generate(rng, length, purpose);
}

}  // namespace

TEST_CASE("every oracle gives the generator's answers", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    for (std::uint64_t index = 0; index < (length > 1000 ? 2u : 20u); ++index) {
      const Sample sample = draw(task, length, purpose, index);
      REQUIRE_FALSE(sample.answers.empty());
      const std::vector<Token> unknown(sample.answers.size(), -1);
      REQUIRE(solved(task, sample) == (is_determined(task) ? answers_of(sample) : unknown));
    }
  });
}

TEST_CASE("every oracle notices a wrong answer at every place", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    if (!is_determined(task)) return;
    const Sample sample = draw(task, length, purpose, 0);
    const std::vector<Token> right = answers_of(sample);
    const std::size_t stride = 1 + right.size() / 50;
    for (std::size_t i = 0; i < right.size();
         i += i + 1 == right.size() ? 1 : std::min(stride, right.size() - 1 - i))
      for (const Token change : {1, task.vocabulary_size() - 1}) {
        Sample wrong = sample;
        Token& answer = sample.targets.empty()
                            ? wrong.tokens[static_cast<std::size_t>(wrong.answers[i])]
                            : wrong.targets[i];
        answer = (answer + change) % task.vocabulary_size();
        REQUIRE(solved(task, wrong) == right);
        REQUIRE(answers_of(wrong)[i] != right[i]);
      }
  });
}

// A corrupted prompt, one token at a time: every single answer must hang on some token of it.
TEST_CASE("every oracle reads the prompt, for every answer", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    if (length > 64 || !is_determined(task)) return;
    const Sample sample = draw(task, length, purpose, 1);
    const std::vector<Token> right = answers_of(sample), hidden = hide_answers(sample);
    std::vector<bool> noticed(right.size());
    bool changed = false;  // to another answer, not only to none
    for (std::size_t p = 0; p < hidden.size(); ++p) {
      if (hidden[p] < 0) continue;
      for (const Token token : {Token{0}, hidden[p] + 1, task.vocabulary_size() - 1}) {
        Sample corrupted = sample;
        corrupted.tokens[p] = token % task.vocabulary_size();
        const std::vector<Token> answers = solved(task, corrupted);
        REQUIRE(answers.size() == right.size());
        for (std::size_t i = 0; i < right.size(); ++i) {
          if (answers[i] != right[i]) noticed[i] = true;
          changed = changed || (answers[i] != right[i] && answers[i] >= 0);
        }
      }
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
      INFO("answer " << i);
      CHECK(noticed[i]);
    }
    if (length > 8) CHECK(changed);  // the first labels of some tasks are always the same
  });
}

TEST_CASE("every oracle survives a sequence cut anywhere", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    if (length > 64) return;
    const Sample sample = draw(task, length, purpose, 2);
    for (std::size_t size = 0; size <= sample.tokens.size(); ++size) {
      Sample cut;
      cut.tokens.assign(sample.tokens.begin(),
                        sample.tokens.begin() + static_cast<std::ptrdiff_t>(size));
      for (std::size_t i = 0; i < sample.answers.size(); ++i) {
        if (static_cast<std::size_t>(sample.answers[i]) >= size) break;
        cut.answers.push_back(sample.answers[i]);
        if (!sample.targets.empty()) cut.targets.push_back(sample.targets[i]);
      }
      REQUIRE(solved(task, cut).size() == cut.answers.size());
    }
  });
}

TEST_CASE("every sample keeps to its vocabulary, bounds and answer order", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    const Sample sample = draw(task, length, purpose, 3);
    CHECK(std::ssize(sample.tokens) <= task.total_tokens(length, purpose));
    CHECK(std::ssize(sample.answers) <= task.answer_tokens(length, purpose));
    for (const Token token : sample.tokens) {
      REQUIRE(token >= 0);
      REQUIRE(token < task.vocabulary_size());
    }
    CHECK((sample.targets.empty() || sample.targets.size() == sample.answers.size()));
    for (const Token token : answers_of(sample)) {
      REQUIRE(token >= 0);
      REQUIRE(token < task.vocabulary_size());
    }
    std::int32_t previous = 0;
    for (const std::int32_t p : sample.answers) {
      REQUIRE(p > previous);
      previous = p;
    }
    CHECK(static_cast<std::size_t>(previous) < sample.tokens.size());
    CHECK(sample.depth_decile >= -1);
    CHECK(sample.depth_decile <= 9);
  });
}

TEST_CASE("every sample is a function of seed, stream and index", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose purpose) {
    if (length > 1000) return;
    const Sample first = draw(task, length, purpose, 9);
    const Sample again = draw(task, length, purpose, 9);
    CHECK(again.tokens == first.tokens);
    CHECK(again.answers == first.answers);
    CHECK(again.depth_decile == first.depth_decile);
    // The shortest samples have few forms, which may meet by chance.
    if (length < 64) return;
    std::set<std::vector<Token>> seen;
    std::size_t drawn = 0;
    for (const Stream stream : {Stream::train, Stream::validation, Stream::test})
      for (std::uint64_t index = 0; index < 20; ++index, ++drawn)
        seen.insert(draw(task, length, purpose, index, stream).tokens);
    // A text of a few thousand bytes has few windows.
    CHECK(seen.size() + (is_determined(task) ? 0 : 3) >= drawn);
  });
}

TEST_CASE("every token has a name of its own without spaces", "[property]") {
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    std::set<std::string> names;
    for (Token token = 0; token < named.task->vocabulary_size(); ++token) {
      const std::string name = named.task->token_name(token);
      CHECK_FALSE(name.empty());
      CHECK(name.find(' ') == std::string::npos);
      names.insert(name);
    }
    CHECK(std::ssize(names) == named.task->vocabulary_size());
  }
}

TEST_CASE("every task refuses lengths that cannot be", "[property]") {
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask named = make_task(test_name(entry));
    for (const std::int64_t length :
         {std::int64_t{0}, std::int64_t{-1}, longest_length + 1, INT64_MAX, INT64_MIN})
      CHECK_FALSE(is_allowed(*named.task, length));
  }
}

TEST_CASE("every chance level is a probability and shrinks from token to sample", "[property]") {
  for_every_task([](const Task& task, std::int64_t length, Purpose) {
    CHECK(task.token_chance() > 0);
    CHECK(task.token_chance() < 1);
    CHECK(task.chance(length) >= 0);
    CHECK(task.chance(length) <= task.token_chance());
  });
}

TEST_CASE("every parameter's bounds make a task", "[property]") {
  for (const TaskEntry& entry : task_catalog())
    for (const ParameterSpec& spec : entry.parameters) {
      std::vector<std::string> values = spec.choices;
      if (spec.kind == ParameterSpec::Kind::path)
        values.push_back(ATTNSPAN_TEXT);
      else if (spec.kind != ParameterSpec::Kind::choice)
        for (const double bound : {spec.minimum, spec.maximum}) {
          std::ostringstream text;
          text << std::fixed << bound;
          const std::string digits = text.str();
          values.push_back(spec.kind == ParameterSpec::Kind::integer
                               ? digits.substr(0, digits.find('.'))
                               : digits);
        }
      for (const std::string& value : values) {
        INFO(entry.name << ":" << spec.name << "=" << value);
        const std::string test = test_name(entry);
        const bool is_path = spec.kind == ParameterSpec::Kind::path;
        const std::string name = is_path ? entry.name : test;
        const char* const joint = name == entry.name ? ":" : ",";
        CHECK(make_task(name + joint + spec.name + "=" + value).task->vocabulary_size() > 0);
        CHECK_FALSE(spec.help.empty());
      }
    }
}
