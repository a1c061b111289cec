#pragma once

#include <atomic>
#include <vector>

#include "sweep/cell.hpp"

namespace attnspan {

/// How long a cell is expected to take on this machine.
struct CellTime {
  double training_seconds = 0;
  double evaluation_seconds = 0;

  double seconds() const { return training_seconds + evaluation_seconds; }
};

/// Times for each cell: its cost over a speed that is measured here and now, on real training steps
/// and a real evaluation of the cells' own models, in about a second for all of them together.
/// Early stops are not foreseen. Ends at once when `stop` is set; the times are then of no use.
std::vector<CellTime> estimate_times(const std::vector<Cell>& cells, const std::atomic<bool>* stop);

}  // namespace attnspan
