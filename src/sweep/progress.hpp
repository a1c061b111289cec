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

  /// Cell `index` is being run, and all before it are finished.
  void at(std::size_t index, const CellProgress& progress);

  /// Share of the expected time of all cells that has been worked off, 0 .. 1.
  double fraction() const;

  /// Seconds left when `elapsed` seconds have passed: what is expected, corrected by how the
  /// expected time of what is done compares to the time it really took.
  double seconds_left(double elapsed) const;

 private:
  std::vector<CellTime> times_;
  std::vector<double> before_;  ///< expected seconds of all cells before each, and of all
  double done_ = 0;             ///< expected seconds of what is done
};

}  // namespace attnspan
