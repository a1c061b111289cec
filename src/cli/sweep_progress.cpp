#include "cli/sweep_progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "cli/output.hpp"
#include "sweep/estimate.hpp"

namespace attnspan {
namespace {

std::string describe_loss(double loss) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", loss);
  return text;
}

/// How the tests at the training length went, or else the validation there.
std::string describe_first_test(const CellRow& row) {
  for (const char* split : {"test", "validation"})
    for (const Evaluation& evaluation : row.evaluations)
      if (evaluation.split == split && evaluation.multiple == 1 && evaluation.counts.samples > 0) {
        const double exact = static_cast<double>(evaluation.counts.exact) /
                             static_cast<double>(evaluation.counts.samples);
        char text[64];
        std::snprintf(text, sizeof text, ", exact match at 1x %.1f%%", 100 * exact);
        return text;
      }
  return "";
}

double seconds_of(const CellRow& row) {
  double seconds = row.train.seconds;
  for (const Evaluation& evaluation : row.evaluations) seconds += evaluation.seconds;
  return seconds;
}

}  // namespace

SweepProgress::SweepProgress(std::vector<Cell> cells, std::size_t finished, bool quiet,
                             const std::atomic<bool>& stop)
    : cells_(std::move(cells)), finished_(finished), all_(finished + cells_.size()), quiet_(quiet) {
  if (quiet_ || !line_.visible() || cells_.empty()) return;
  line_.draw("measuring the speed of this machine");
  progress_.emplace(estimate_times(cells_, &stop));
  line_.clear();  // so that the first step shows at once
  elapsed_ = Stopwatch();
}

void SweepProgress::show(std::size_t index, const CellProgress& progress) {
  if (!progress_) return;
  progress_->at(index, progress);
  if (!line_.due()) return;
  const Cell& cell = cells_[index];
  const std::string stage = progress.test_length > 0
                                ? "testing at length " + describe_count(progress.test_length)
                                : "step " + describe_count(progress.step) + "/" +
                                      describe_count(cell.training.steps) + " loss " +
                                      describe_loss(progress.loss);
  // The name comes last, where a narrow terminal cuts it.
  line_.draw(counter(finished_ + 1) + " " +
             std::to_string(static_cast<int>(100 * progress_->fraction())) + "%, " +
             describe_seconds(progress_->seconds_left(elapsed_.seconds())) + " left  " + stage +
             "  " + cell.key);
}

void SweepProgress::note(std::size_t index, const CellRow& row) {
  ++finished_;
  if (progress_) progress_->finish(index);
  if (quiet_ || line_.visible()) return;
  write_context(counter(finished_) + " " + describe_seconds(seconds_of(row)) + "  " + row.key +
                (row.status == Status::done
                     ? "  loss " + describe_loss(row.train.loss) + describe_first_test(row)
                     : "  " + to_string(row.status) + ": " + row.message) +
                "\n");
}

std::string SweepProgress::counter(std::size_t number) const {
  return "[" + std::to_string(number) + "/" + std::to_string(all_) + "]";
}

}  // namespace attnspan
