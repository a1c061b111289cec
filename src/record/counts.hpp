#pragma once

#include <cstdint>
#include <vector>

namespace attnspan {

/// Right answers among the samples whose hidden thing lay in one tenth of the sequence.
struct DepthCount {
  std::int64_t samples = 0;
  std::int64_t exact = 0;
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

  void add(const Counts& more);
};

/// What came of one sample.
struct Outcome {
  bool exact = false;
  std::int64_t right_tokens = 0;
  double value = 0;  ///< of the task's headline metric
};

}  // namespace attnspan
