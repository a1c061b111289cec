#pragma once

#include <cstdint>
#include <vector>

namespace attnspan {

/// Right answers among the samples whose hidden thing lay in one tenth of the sequence.
struct DepthCount {
  std::int64_t samples = 0;
  std::int64_t exact = 0;
};

/// Of the answers whose context, the tokens before them, is of about one length.
struct PositionSum {
  std::int64_t tokens = 0;
  double log_likelihood = 0;  ///< in nats

  void add(const PositionSum& more);
};

/// What was counted over samples: of one, of an evaluation, or of all seeds together. Counts, so
/// that nothing is rounded before the report; shares and intervals are worked out from them.
struct Counts {
  std::int64_t samples = 0;
  std::int64_t exact = 0;          ///< samples with every answer token right
  std::int64_t answer_tokens = 0;  ///< scored tokens
  std::int64_t right_tokens = 0;   ///< of these, right under teacher forcing
  double log_likelihood = 0;       ///< of the answer tokens, in nats; NaN where it was not kept
  std::vector<DepthCount> depth;   ///< ten entries, the start of the sequence first, or none where
                                   ///< the task has no depth
  /// Of a task judged by likelihood: the last answers of each sample, a training length of them at
  /// most, which the headline is of.
  PositionSum last{};
  /// And all answers: entry k has those with more than 2^(k-1) and at most 2^k tokens before them.
  std::vector<PositionSum> positions{};

  void add(const Counts& more);
};

/// What came of one sample.
struct Outcome {
  bool exact = false;
  std::int64_t right_tokens = 0;
  double value = 0;  ///< of the task's headline metric
};

}  // namespace attnspan
