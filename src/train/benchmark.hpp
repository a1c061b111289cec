#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "model/config.hpp"
#include "task/task.hpp"
#include "train/trainer.hpp"

namespace attnspan {

/// How fast training runs here, and how fast it could. Rates are medians; the peak is the best.
struct TrainingSpeed {
  std::int64_t steps = 0;
  double tokens_per_step = 0;
  double milliseconds_per_step = 0;  ///< median
  double tokens_per_second = 0;      ///< at the median step
  double gflops = 0;                 ///< training_step_flops over the median step
  double peak_gflops = 0;  ///< of multiply-adds in registers alone, on as many threads, in this run
  double fraction_of_peak = 0;
  std::int64_t peak_memory_bytes = 0;  ///< of the process while it trained
};

/// Trains for `steps` measured steps after a warm-up; every batch has the longest length. The
/// peak is measured between the steps, so that both meet the same machine.
TrainingSpeed measure_training(const ModelConfig& config, std::shared_ptr<const Task> task,
                               const TrainingOptions& options, std::int64_t steps);

/// What one streamed sample costs.
struct EvaluationSpeed {
  std::int64_t tokens = 0;
  double seconds = 0;
  std::int64_t peak_memory_bytes = 0;
  std::uint32_t logits_crc32 = 0;  ///< tells two passes with the same answers, to the last bit
};

/// Evaluates one sample of this length, with or without leaving out keys that cannot matter.
EvaluationSpeed measure_evaluation(const ModelConfig& config, std::span<const float> weights,
                                   const Task& task, std::int64_t length, bool skip,
                                   const std::atomic<bool>* stop = nullptr);

}  // namespace attnspan
