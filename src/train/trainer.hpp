#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/aligned.hpp"
#include "model/config.hpp"
#include "record/row.hpp"
#include "task/task.hpp"
#include "train/options.hpp"

namespace attnspan {

/// The index-th training sample of a replicate, as training draws it when the batch has this
/// length.
Sample training_sample(const Task& task, std::uint64_t seed, int replicate, std::uint64_t index,
                       std::int64_t length);

/// As wide as the counters that it is saved with, so that no unnamed bytes lie between them.
enum class TrainStatus : std::int64_t { running, done, diverged };

/// Trains one model on one task. The weights after any step are a pure function of (config, task,
/// options), whatever the number of threads and however often it was saved and loaded.
class Trainer {
 public:
  /// Throws InputError when no such model can be built, or when the task has no sample of the
  /// shortest or of the longest training length.
  Trainer(const ModelConfig& config, std::shared_ptr<const Task> task,
          const TrainingOptions& options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;

  /// One step: draw a batch, forward, backward, clip, AdamW, average; now and then a validation.
  TrainStatus step();

  TrainStatus status() const;
  std::string message() const;  ///< why it diverged, with the step; else empty
  std::int64_t steps_done() const;
  std::int64_t tokens_seen() const;
  double last_loss() const;
  double mean_loss() const;  ///< running mean of recent losses (per answer token, nats)
  const std::vector<CurvePoint>& curve() const;  ///< a point every `validate_every` steps

  /// The weights to be tested: the moving average where there is one.
  std::span<const float> weights() const;

  /// Everything that later steps depend on, as bytes, and back. load throws InputError when the
  /// bytes do not belong to this (config, task, options) or are cut short, and then changes
  /// nothing. A flipped bit among the numbers is not noticed: keep a checksum beside the bytes.
  std::string save() const;
  void load(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace attnspan
