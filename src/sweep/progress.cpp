#include "sweep/progress.hpp"

#include <algorithm>

namespace attnspan {

Progress::Progress(std::vector<CellTime> times) : times_(std::move(times)), done_(times_.size()) {
  for (const CellTime& time : times_) all_ += time.seconds();
}

void Progress::at(std::size_t index, const CellProgress& progress) {
  const CellTime& time = times_.at(index);
  count(index,
        progress.trained * time.training_seconds + progress.evaluated * time.evaluation_seconds);
}

void Progress::finish(std::size_t index) { count(index, times_.at(index).seconds()); }

void Progress::count(std::size_t index, double seconds) {
  all_done_ += seconds - done_[index];
  done_[index] = seconds;
}

double Progress::fraction() const { return all_ > 0 ? std::clamp(all_done_ / all_, 0.0, 1.0) : 1; }

double Progress::seconds_left(double elapsed) const {
  // The first seconds say little, so the estimate starts with some belief in itself.
  constexpr double belief = 5;
  const double correction = (elapsed + belief) / (all_done_ + belief);
  return std::max(0.0, all_ - all_done_) * correction;
}

}  // namespace attnspan
