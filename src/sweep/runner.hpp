#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "record/row.hpp"
#include "sweep/cell.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/checkpoint.hpp"
#include "sweep/journal.hpp"

namespace attnspan {

/// Runs cells one after another and keeps what comes out. With a journal nothing that is finished
/// is ever computed again.
class Runner {
 public:
  /// `cells` are those of the whole sweep, `mine` the ones to be run here (a shard, or all).
  /// `journal` and `checkpoints` may be null, and must outlive this. Rows of the journal are taken
  /// over; throws InputError when one belongs to no cell.
  Runner(std::vector<Cell> cells, const std::vector<std::size_t>& mine, Journal* journal,
         const CheckpointFile* checkpoints);

  /// The cells that are still to be run: without a row, or with a failed one.
  const std::vector<Cell>& pending() const { return pending_; }

  struct Events {
    /// While pending()[index] runs.
    std::function<void(std::size_t index, const CellProgress&)> on_progress;
    /// After each cell, when its row is in the journal.
    std::function<void()> on_row;
  };

  /// Runs what is pending; false when `stop` ended it early. An exception in a cell makes its row
  /// `failed` and the sweep goes on; only FileError passes through: where nothing can be written,
  /// nothing more is computed.
  bool run(const RunOptions& options, const Events& events);

  /// After a FileError from `run`: whether a finished row could not be put into the journal.
  bool has_unkept_row() const { return unkept_; }

  /// Every row there is, in the order of the cells.
  std::vector<CellRow> rows() const;

 private:
  std::vector<Cell> cells_;
  std::vector<Cell> pending_;
  Journal* journal_;
  const CheckpointFile* checkpoints_;
  std::map<std::string, CellRow> rows_;  ///< by key
  bool unkept_ = false;
};

}  // namespace attnspan
