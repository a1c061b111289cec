#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "cli/progress_line.hpp"
#include "core/stopwatch.hpp"
#include "record/row.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/progress.hpp"

namespace attnspan {

/// Tells on stderr how a running sweep comes along: a line that is redrawn where stderr is a
/// terminal, elsewhere a line for each finished cell.
class SweepProgress {
 public:
  /// `cells` are those that are to be run, after `finished` that are there already.
  SweepProgress(std::vector<Cell> cells, std::size_t finished, bool quiet,
                const std::atomic<bool>& stop);

  /// The index-th cell is being run, perhaps beside others.
  void show(std::size_t index, const CellProgress& progress);

  /// It is finished.
  void note(std::size_t index, const CellRow& row);

  /// Takes the line away, before anything else is written.
  void clear() { line_.clear(); }

 private:
  std::string counter(std::size_t number) const;

  std::vector<Cell> cells_;
  std::size_t finished_, all_;
  bool quiet_;
  ProgressLine line_;
  std::optional<Progress> progress_;
  Stopwatch elapsed_;
};

}  // namespace attnspan
