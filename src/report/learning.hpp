#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/row.hpp"
#include "record/statistics.hpp"

namespace attnspan {

/// A point of the training curves of several seeds: those that have a point at this step.
struct MeanCurvePoint {
  std::int64_t step = 0;
  int seeds = 0;
  Spread exact_match;  ///< on validation samples at the training length
  Spread loss;         ///< nats per answer token
};

/// The curves of these cells as one, by step. Cells that were lost count up to where they ended.
std::vector<MeanCurvePoint> mean_curve(std::span<const CellRow* const> cells);

/// Exact match on validation samples at the training length that counts as learnt.
inline constexpr double learnt = 0.95;

/// What training cost a cell up to the first point of its curve that is learnt. Tokens and seconds
/// are those of the whole training, as the share of its steps.
struct LearningCost {
  std::int64_t step = 0;
  double tokens = 0;
  double seconds = 0;
};

/// The costs of those of the cells that got there.
std::vector<LearningCost> learning_costs(std::span<const CellRow* const> cells);

}  // namespace attnspan
