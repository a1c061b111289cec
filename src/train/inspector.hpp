#pragma once

#include <optional>

#include "record/inspection.hpp"
#include "train/evaluator.hpp"

namespace attnspan {

/// Rows of a sample that are looked at: all of a short one, else this many, evenly spread, and
/// those that answer.
inline constexpr std::int64_t rows_looked_at = 512;

/// Bins of a heat map, unless the sample has fewer tokens.
inline constexpr std::int64_t heat_map_bins = 24;

/// What the heads put out at the training length, for the drift.
struct OutputReference {
  struct Head {
    std::vector<double> mean;
    double spread = 0;  ///< root of the mean squared distance from the mean
  };
  std::vector<Head> heads;
};

/// What came of looking at samples.
struct Inspected {
  AttentionFigures figures;
  OutputReference outputs;
  std::int64_t bins = 0;
  std::vector<HeatMap> maps;                        ///< of the first sample
  std::int64_t tokens = 0, answers = 0, right = 0;  ///< of the first sample
  bool stopped = false;
};

/// Samples of one length that are looked at in a sweep, and of the training length for the drift.
inline constexpr std::int64_t samples_looked_at = 4;

/// Looks at the attention of the samples of a request (its shortcuts and errors are not asked for).
/// Figures are of rows in the second half of a sample, where the number of keys is near the length;
/// maps of all rows that are looked at. Memory grows linearly with the length.
Inspected inspect(const ModelConfig& config, std::span<const float> weights, const Task& task,
                  const EvaluationRequest& request, const OutputReference* reference = nullptr,
                  const std::atomic<bool>* stop = nullptr);

/// The outputs for the drift: those of the request, which is of the training length. Nothing where
/// the task has no sample of it, or when stopped.
std::optional<OutputReference> reference_outputs(const ModelConfig& config,
                                                 std::span<const float> weights, const Task& task,
                                                 const EvaluationRequest& request,
                                                 const std::atomic<bool>* stop = nullptr);

}  // namespace attnspan
