#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "record/row.hpp"
#include "sweep/cell.hpp"
#include "sweep/checkpoint.hpp"

namespace attnspan {

/// Where a cell stands, told now and then while it runs.
struct CellProgress {
  std::int64_t step = 0;         ///< training steps done
  double loss = 0;               ///< of recent steps, nats per answer token
  std::int64_t test_length = 0;  ///< length that is being evaluated; 0 while training
  double trained = 0;            ///< share of the training done
  double evaluated = 0;          ///< share of the evaluation done, by its cost
};

/// How a cell is run; none of it changes the result.
struct RunOptions {
  const std::atomic<bool>* stop = nullptr;  ///< end soon once this is true
  double checkpoint_seconds = 120;          ///< time between checkpoints
  std::function<void(const CellProgress&)> on_progress;
};

/// Trains the cell's model, or goes on from `checkpoints` where it was interrupted, and evaluates
/// it on validation samples and at every test length. Nothing when `stop` came first; a checkpoint
/// is then saved. A divergence or a logit that is not finite gives a row that says so. Whatever
/// exception a part throws passes through. `checkpoints` may be null.
std::optional<CellRow> run_cell(const Cell& cell, const CheckpointFile* checkpoints,
                                const RunOptions& options);

/// The row of a cell before anything is known but the cell.
CellRow empty_row(const Cell& cell);

}  // namespace attnspan
