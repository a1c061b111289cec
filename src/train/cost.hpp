#pragma once

#include <cstdint>

#include "model/config.hpp"
#include "task/task.hpp"
#include "train/trainer.hpp"

namespace attnspan {

/// Floating-point operations of one training step at the longest length: 6 per weight and token for
/// the matrix products (2 forward, 4 backward) and 12 heads d_head per token and layer for each
/// visible key, as though nothing were skipped.
double training_step_flops(const ModelConfig& config, const Task& task,
                           const TrainingOptions& options);

/// The same of the average step: each draws its length evenly from the shortest
/// (options.min_train_length, not 0) to the longest.
double mean_training_step_flops(const ModelConfig& config, const Task& task,
                                const TrainingOptions& options);

/// Floating-point operations that the evaluation of one sample is expected to do, counting what
/// streaming evaluation skips.
double evaluation_flops(const ModelConfig& config, const Task& task, std::int64_t length);

/// Peak bytes of training (with `threads` threads) and of evaluating one sample.
double training_bytes(const ModelConfig& config, const Task& task, const TrainingOptions& options,
                      int threads);
double evaluation_bytes(const ModelConfig& config, const Task& task, std::int64_t length,
                        int threads);

}  // namespace attnspan
