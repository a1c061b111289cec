#pragma once

#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "task/task.hpp"

/// A task of the catalog as tests use it: of a text that is there without any package.
inline std::string test_name(const attnspan::TaskEntry& entry) {
  for (const attnspan::ParameterSpec& spec : entry.parameters)
    if (spec.kind == attnspan::ParameterSpec::Kind::path)
      return entry.name + ":" + spec.name + "=" ATTNSPAN_TEXT;
  return entry.name;
}

/// Whether the visible tokens determine the answers.
inline bool is_determined(const attnspan::Task& task) { return !task.metric().is_likelihood; }

/// A token by the name that the task gives it.
inline attnspan::Token token_named(const attnspan::Task& task, const std::string& name) {
  for (attnspan::Token token = 0; token < task.vocabulary_size(); ++token)
    if (task.token_name(token) == name) return token;
  throw std::invalid_argument("no token is called " + name);
}

/// The tokens of "BOS s3 SEP s3 EOS", by the names that the task gives them; `[s3]` marks a scored
/// one.
inline attnspan::Sample typed_sample(const attnspan::Task& task, const std::string& text) {
  attnspan::Sample sample;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.front() == '[') {
      sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
      word = word.substr(1, word.size() - 2);
    }
    sample.tokens.push_back(token_named(task, word));
  }
  return sample;
}

/// The same where answers are labels: in "BOS s3 [c0] s3 [c1] EOS" each stands behind its token.
inline attnspan::Sample typed_labels(const attnspan::Task& task, const std::string& text) {
  attnspan::Sample sample;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.front() != '[') {
      sample.tokens.push_back(token_named(task, word));
      continue;
    }
    sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
    sample.targets.push_back(token_named(task, word.substr(1, word.size() - 2)));
  }
  return sample;
}

/// The same text back from a sample.
inline std::string text_of(const attnspan::Task& task, const attnspan::Sample& sample) {
  const std::set<std::int32_t> scored(sample.answers.begin(), sample.answers.end());
  std::string text;
  for (std::size_t p = 0; p < sample.tokens.size(); ++p) {
    const std::string name = task.token_name(sample.tokens[p]);
    const bool is_scored = scored.count(static_cast<std::int32_t>(p)) > 0;
    text += (p == 0 ? "" : " ") + (is_scored ? "[" + name + "]" : name);
  }
  return text;
}

/// What belongs at the scored positions.
inline std::vector<attnspan::Token> answers_of(const attnspan::Sample& sample) {
  std::vector<attnspan::Token> answers;
  for (std::size_t i = 0; i < sample.answers.size(); ++i) answers.push_back(sample.target(i));
  return answers;
}

/// What the oracle says should stand there, from the sample with the answers taken out.
inline std::vector<attnspan::Token> solved(const attnspan::Task& task,
                                           const attnspan::Sample& sample) {
  return task.solve(attnspan::hide_answers(sample), sample.answers);
}

/// The shortest length of the task that is not below this one.
inline std::int64_t shortest_from(const attnspan::Task& task, std::int64_t length) {
  for (;; ++length) try {
      task.check_length(length);
      return length;
    } catch (const attnspan::InputError&) {
    }
}
