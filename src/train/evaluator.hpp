#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/config.hpp"
#include "task/task.hpp"

namespace attnspan {

struct EvaluationRequest {
  std::uint64_t seed = 0;  ///< the sweep's seed
  Stream stream = Stream::test;
  std::int64_t length = 0;
  std::int64_t samples = 0;
  int replicate = 0;       ///< each replicate has samples of its own, the same for every variant
  std::int64_t first = 0;  ///< index of the first sample: an evaluation may be done in parts
};

struct DepthCount {
  std::int64_t samples = 0;
  std::int64_t exact = 0;
};

struct EvaluationCounts {
  std::int64_t samples = 0;
  std::int64_t exact = 0;
  std::int64_t answer_tokens = 0;
  std::int64_t right_tokens = 0;
  std::vector<DepthCount> depth;  ///< ten entries, or none where the task has no depth
  bool finite = true;             ///< false when a logit was not a finite number
  bool stopped = false;           ///< ended early by `stop`; the counts are then of no use
};

/// The index-th sample of an evaluation, counted from `request.first`. Samples depend on the
/// length, so that no length repeats the draws of another.
Sample evaluation_sample(const Task& task, const EvaluationRequest& request, std::int64_t index);

/// Exact match and token accuracy from one teacher-forced pass a sample: under a causal model
/// greedy generation is right exactly when the argmax is right at every answer position (induction
/// over the answer). Memory grows linearly with the length. `stop`, when given, is polled often;
/// `on_sample(done)` is called from the calling thread now and then.
EvaluationCounts evaluate(const ModelConfig& config, std::span<const float> weights,
                          const Task& task, const EvaluationRequest& request,
                          const std::atomic<bool>* stop = nullptr,
                          const std::function<void(std::int64_t)>& on_sample = {});

}  // namespace attnspan
