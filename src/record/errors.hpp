#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/fields.hpp"

namespace attnspan {

/// The wrong answer tokens of one kind.
struct ErrorKind {
  std::string name;
  std::int64_t wrong = 0;
  /// Sum over `places` of the probability that a random wrong answer there is of this kind.
  double random = 0;
};

/// What kinds of wrong answers there were, of those that the task tells apart. An answer may be of
/// several kinds.
struct ErrorCounts {
  std::int64_t answers = 0;  ///< answer tokens
  std::int64_t wrong = 0;    ///< of these, wrong ones
  std::string guess;  ///< what random wrong answers are drawn from: "the values of the sample"
  std::int64_t places = 0;  ///< answer tokens, right or wrong, where there is a wrong one to draw
  std::vector<ErrorKind> kinds;  ///< in the task's order

  /// Adds those of other samples of the same task.
  void add(const ErrorCounts& more);

  /// Share of the wrong answers that are of this kind; NaN where none was wrong.
  double share_of(const ErrorKind& kind) const;

  /// Share of random wrong answers, at places drawn at random, that are of this kind.
  double random_share(const ErrorKind& kind) const;
};

/// {answers, wrong, guess, places, kinds: {name: {wrong, random}}}; and back. Reading throws
/// InputError as `Fields` does, and where more is wrong than these.
Json to_json(const ErrorCounts& errors);
ErrorCounts read_errors(Fields fields);

}  // namespace attnspan
