#include "sweep/progress.hpp"

#include <algorithm>

namespace attnspan {

Progress::Progress(std::vector<CellTime> times) : times_(std::move(times)), before_{0} {
  for (const CellTime& time : times_) before_.push_back(before_.back() + time.seconds());
}

void Progress::at(std::size_t index, const CellProgress& progress) {
  const CellTime& time = times_.at(index);
  done_ = before_[index] + progress.trained * time.training_seconds +
          progress.evaluated * time.evaluation_seconds;
}

double Progress::fraction() const {
  const double total = before_.back();
  return total > 0 ? std::clamp(done_ / total, 0.0, 1.0) : 1;
}

double Progress::seconds_left(double elapsed) const {
  // The first seconds say little, so the estimate starts with some belief in itself.
  constexpr double belief = 5;
  const double correction = (elapsed + belief) / (done_ + belief);
  return std::max(0.0, before_.back() - done_) * correction;
}

}  // namespace attnspan
