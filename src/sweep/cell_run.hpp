#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/row.hpp"
#include "sweep/cell.hpp"
#include "sweep/model_folder.hpp"
#include "sweep/store.hpp"

namespace attnspan {

/// Where a cell stands, told now and then while it runs.
struct CellProgress {
  std::int64_t step = 0;         ///< training steps done
  double loss = 0;               ///< of recent steps, nats per answer token
  std::int64_t test_length = 0;  ///< length that is being evaluated; 0 while training
  double trained = 0;            ///< share of the training done
  double evaluated = 0;          ///< share of the evaluation done, by its cost
};

/// How a cell is run; none of it changes what is in every result.
struct RunOptions {
  const std::atomic<bool>* stop = nullptr;  ///< end soon once this is true
  double checkpoint_seconds = 120;          ///< time between checkpoints
  std::function<void(const CellProgress&)> on_progress;
  /// The cell's model and what is known of it, where it has been trained already: only tests that
  /// its row lacks are then run.
  const TrainedCell* trained = nullptr;
  /// Also record, in tests once training is over, which kinds of errors there were, and what the
  /// heads do.
  bool errors = false, diagnosis = false;
  /// Takes a model that was trained here, once its tests are done, with their row.
  std::function<void(const CellRow&, std::span<const float> weights)> on_trained{};
};

/// Trains the cell's model, or goes on from the store's checkpoint where that is of this cell, and
/// evaluates it at every test point, of training too where that is asked for. Nothing when `stop`
/// came first; a checkpoint is then saved. A divergence or a logit that is not finite gives a row
/// that says so. Whatever exception a part throws passes through.
std::optional<CellRow> run_cell(const Cell& cell, Store& store, const RunOptions& options);

/// The same, where an exception gives a row with the status `failed` and its reason. Only FileError
/// passes through: where nothing can be written, nothing more is to be computed.
std::optional<CellRow> attempt_cell(const Cell& cell, Store& store, const RunOptions& options);

/// The row of a cell before anything is known but the cell.
CellRow empty_row(const Cell& cell);

/// Whether this is the whole of the evaluation at a test point.
bool is_evaluation_of(const Evaluation& evaluation, const TestPoint& point);

/// Whether the evaluation has what these options ask for beside the counts, as far as the task has
/// it.
bool is_diagnosed(const Evaluation& evaluation, const Task& task, const RunOptions& options);

/// Whether the row has the tests after this step of training.
bool is_tested(const CellRow& row, std::int64_t step, const Cell& cell);

/// Whether tests that give up end here: the last two had no right sample.
bool gives_up(const std::vector<Evaluation>& evaluations);

/// What stands for a test that was not run.
Evaluation given_up_evaluation(const Task& task, const TestPoint& point);

}  // namespace attnspan
