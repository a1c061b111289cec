#pragma once

#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "task/task.hpp"

/// The tokens of "BOS s3 SEP s3 EOS", by the names that the task gives them; `[s3]` marks a scored
/// one.
inline attnspan::Sample typed_sample(const attnspan::Task& task, const std::string& text) {
  std::map<std::string, attnspan::Token> tokens;
  for (attnspan::Token token = 0; token < task.vocabulary_size(); ++token)
    tokens[task.token_name(token)] = token;
  attnspan::Sample sample;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.front() == '[') {
      sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
      word = word.substr(1, word.size() - 2);
    }
    const auto token = tokens.find(word);
    if (token == tokens.end()) throw std::invalid_argument("no token is called " + word);
    sample.tokens.push_back(token->second);
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

/// What stands at the scored positions.
inline std::vector<attnspan::Token> answers_of(const attnspan::Sample& sample) {
  std::vector<attnspan::Token> answers;
  for (const std::int32_t p : sample.answers)
    answers.push_back(sample.tokens[static_cast<std::size_t>(p)]);
  return answers;
}

/// What the oracle says should stand there, from the sample with the answers taken out.
inline std::vector<attnspan::Token> solved(const attnspan::Task& task,
                                           const attnspan::Sample& sample) {
  std::vector<attnspan::Token> hidden = sample.tokens;
  for (const std::int32_t p : sample.answers) hidden[static_cast<std::size_t>(p)] = -1;
  return task.solve(hidden, sample.answers);
}
