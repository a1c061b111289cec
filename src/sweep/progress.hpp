#pragma once

#include <cstddef>
#include <vector>

#include "sweep/cell_run.hpp"
#include "sweep/estimate.hpp"

namespace attnspan {

/// How far a sweep is and how long it will still take, from the expected times of its cells and the
/// time it has taken so far. Knows no clock and prints nothing.
class Progress {
 public:
  /// One time for each cell that is to be run, in order.
  explicit Progress(std::vector<CellTime> times);

  /// Cell `index` is being run, perhaps beside others.
  void at(std::size_t index, const CellProgress& progress);

  /// It is finished.
  void finish(std::size_t index);

  /// Share of the expected time of all cells that has been worked off, 0 .. 1.
  double fraction() const;

  /// Seconds left when `elapsed` seconds have passed: what is expected, corrected by how the
  /// expected time of what is done compares to the time it really took.
  double seconds_left(double elapsed) const;

 private:
  void count(std::size_t index, double seconds);

  std::vector<CellTime> times_;
  std::vector<double> done_;  ///< expected seconds of what is done of each cell
  double all_ = 0;            ///< expected seconds of all cells
  double all_done_ = 0;
};

}  // namespace attnspan
