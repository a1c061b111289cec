#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "model/config.hpp"
#include "record/row.hpp"
#include "task/task.hpp"

namespace attnspan {

struct EvaluationRequest {
  std::uint64_t seed = 0;  ///< the sweep's seed
  Stream stream = Stream::test;
  std::int64_t length = 0;
  std::int64_t samples = 0;
  int replicate = 0;       ///< each replicate has samples of its own, the same for every variant
  std::int64_t first = 0;  ///< index of the first sample: an evaluation may be done in parts
  bool shortcuts = false;  ///< also ask the task's shortcuts
  std::int64_t last = 0;   ///< answers of a sample that a likelihood is judged by; 0 for all
  bool errors = false;     ///< also tell wrong answers apart, where the task does
};

/// What came of an evaluation.
struct Evaluated {
  Counts counts;
  std::vector<Outcome> outcomes;         ///< of every sample, in order
  std::vector<ShortcutScore> shortcuts;  ///< of every shortcut of the task, if asked for
  std::optional<ErrorCounts> errors{};   ///< if asked for and the task tells them apart
  bool finite = true;                    ///< false when a logit was not a finite number
  bool stopped = false;                  ///< ended early by `stop`; the counts are then of no use
};

/// The index-th sample of an evaluation, counted from `request.first`. Samples depend on the
/// length, so that no length repeats the draws of another.
Sample evaluation_sample(const Task& task, const EvaluationRequest& request, std::int64_t index);

/// What names that sample for whatever is drawn beside it.
std::uint64_t sample_identity(const EvaluationRequest& request, std::int64_t index);

/// The kinds of the wrong ones among `predicted`, an answer each, and how often random wrong
/// answers would be of each kind.
ErrorCounts explain(const Confusions& confusions, const Sample& sample,
                    std::span<const Token> predicted);

/// Exact match and token accuracy from one teacher-forced pass a sample: under a causal model
/// greedy generation is right exactly when the argmax is right at every answer position (induction
/// over the answer); log-likelihood is that of the right tokens in the same pass. Memory grows
/// linearly with the length. `stop`, when given, is polled often; `on_sample(done)` is called from
/// the calling thread now and then.
Evaluated evaluate(const ModelConfig& config, std::span<const float> weights, const Task& task,
                   const EvaluationRequest& request, const std::atomic<bool>* stop = nullptr,
                   const std::function<void(std::int64_t)>& on_sample = {});

}  // namespace attnspan
