#include "sweep/cell_run.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "train/cost.hpp"
#include "train/evaluator.hpp"

namespace attnspan {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Long evaluations are done in parts of a second or less, between which a checkpoint may be taken.
constexpr double flops_of_a_part = 1e10;

/// One evaluation to be done.
struct Planned {
  TestPoint point;
  double share = 0;       ///< of the cell's evaluations, by cost
  std::int64_t part = 1;  ///< samples between two checkpoints
};

std::vector<Planned> planned_evaluations(const Cell& cell) {
  std::vector<Planned> evaluations;
  double total = 0;
  for (const TestPoint& point : cell.tests) {
    const double flops = evaluation_flops(cell.model, *cell.task.task, point.length);
    const double share = static_cast<double>(point.samples) * flops;
    evaluations.push_back({point, share, 1 + static_cast<std::int64_t>(flops_of_a_part / flops)});
    total += share;
  }
  for (Planned& evaluation : evaluations) evaluation.share /= total;
  return evaluations;
}

/// An evaluation of no samples yet.
Evaluation begin(const TestPoint& point) {
  Evaluation evaluation;
  evaluation.length = point.length;
  evaluation.multiple = point.multiple;
  evaluation.split = point.stream == Stream::validation ? "validation" : "test";
  return evaluation;
}

void append(Evaluation& evaluation, const Evaluated& part) {
  evaluation.counts.add(part.counts);
  evaluation.outcomes.insert(evaluation.outcomes.end(), part.outcomes.begin(), part.outcomes.end());
  if (evaluation.shortcuts.empty()) {
    evaluation.shortcuts = part.shortcuts;
    return;
  }
  for (std::size_t i = 0; i < part.shortcuts.size(); ++i)
    evaluation.shortcuts[i].exact += part.shortcuts[i].exact;
}

/// One run of a cell.
class CellRun {
 public:
  CellRun(const Cell& cell, const CheckpointFile* checkpoints, const RunOptions& options)
      : cell_(cell),
        checkpoints_(checkpoints),
        options_(options),
        trainer_(cell.model, cell.task.task, cell.training),
        row_(empty_row(cell)) {
    if (!checkpoints_) return;
    const auto checkpoint = checkpoints_->load(cell.key);
    if (!checkpoint) return;
    try {
      trainer_.load(checkpoint->trainer);
      row_ = checkpoint->row;
    } catch (const InputError&) {
      // Written by a program with another idea of a trainer's state: start from the beginning.
    }
  }

  std::optional<CellRow> run() {
    const bool finished = train() && (row_.status != Status::done || evaluate());
    if (finished) return row_;
    save();
    return std::nullopt;
  }

 private:
  bool stopped() const { return options_.stop && *options_.stop; }

  void save() {
    if (checkpoints_) checkpoints_->save({row_, trainer_.save()});
    since_checkpoint_ = Stopwatch();
  }

  bool checkpoint_is_due() const {
    return since_checkpoint_.seconds() >= options_.checkpoint_seconds;
  }

  void tell() const {
    if (options_.on_progress) options_.on_progress(progress_);
  }

  /// False when stopped.
  bool train() {
    const double seconds_before = row_.train.seconds;
    const Stopwatch stopwatch;
    const auto account = [&] {
      row_.train.steps = trainer_.steps_done();
      row_.train.tokens = trainer_.tokens_seen();
      row_.train.loss = trainer_.mean_loss();
      row_.train.seconds = seconds_before + stopwatch.seconds();
      row_.train.tokens_per_second = static_cast<double>(row_.train.tokens) / row_.train.seconds;
    };
    if (trainer_.status() != TrainStatus::running) return true;  // a checkpoint taken after it
    while (trainer_.status() == TrainStatus::running) {
      if (stopped()) {
        account();
        return false;
      }
      trainer_.step();
      progress_.step = trainer_.steps_done();
      progress_.loss = trainer_.mean_loss();
      progress_.trained =
          static_cast<double>(progress_.step) / static_cast<double>(cell_.training.steps);
      tell();
      if (checkpoint_is_due()) {
        account();
        save();
      }
    }
    account();
    if (trainer_.status() == TrainStatus::diverged) {
      row_.status = Status::diverged;
      row_.message = trainer_.message();
    }
    return true;
  }

  /// False when stopped. The last evaluation of the row may be one that a checkpoint cut short.
  bool evaluate() {
    progress_.trained = 1;
    std::size_t index = 0;
    for (const Planned& planned : planned_evaluations(cell_)) {
      if (index == row_.evaluations.size()) row_.evaluations.push_back(begin(planned.point));
      Evaluation& evaluation = row_.evaluations[index++];
      const std::int64_t samples = planned.point.samples;
      progress_.test_length = planned.point.length;
      const double before = progress_.evaluated;
      const auto advance = [&](std::int64_t done) {
        progress_.evaluated =
            before + planned.share * static_cast<double>(done) / static_cast<double>(samples);
        tell();
      };
      while (evaluation.counts.samples < samples) {
        const Stopwatch stopwatch;
        const std::int64_t done = evaluation.counts.samples;
        const Evaluated part =
            attnspan::evaluate(cell_.model, trainer_.weights(), *cell_.task.task,
                               {.seed = cell_.training.seed,
                                .stream = planned.point.stream,
                                .length = planned.point.length,
                                .samples = std::min(planned.part, samples - done),
                                .replicate = cell_.training.replicate,
                                .first = done,
                                .shortcuts = planned.point.stream == Stream::test},
                               options_.stop, [&](std::int64_t more) { advance(done + more); });
        if (part.stopped) return false;
        if (!part.finite) {
          row_.status = Status::diverged;
          row_.message = "an output was not a finite number when tested at length " +
                         std::to_string(planned.point.length) + " after step " +
                         std::to_string(trainer_.steps_done());
          row_.evaluations.clear();
          return true;
        }
        append(evaluation, part);
        evaluation.seconds += stopwatch.seconds();
        if (checkpoint_is_due()) save();
      }
      advance(samples);
    }
    return true;
  }

  const Cell& cell_;
  const CheckpointFile* checkpoints_;
  const RunOptions& options_;
  Trainer trainer_;
  CellRow row_;
  CellProgress progress_;
  Stopwatch since_checkpoint_;
};

}  // namespace

CellRow empty_row(const Cell& cell) {
  CellRow row;
  row.key = cell.key;
  row.task = cell.task.label;
  row.attention = cell.model.attention;
  row.position = cell.model.position;
  row.train_length = cell.training.train_length;
  row.learning_rate = cell.training.learning_rate;
  row.seed = cell.training.replicate;
  row.settings = cell.settings;
  row.parameters = parameter_count(cell.model);
  row.metric = &cell.task.task->metric();
  row.chance = cell.task.task->chance(cell.training.train_length);
  row.token_chance = cell.task.task->token_chance();
  return row;
}

std::optional<CellRow> run_cell(const Cell& cell, const CheckpointFile* checkpoints,
                                const RunOptions& options) {
  return CellRun(cell, checkpoints, options).run();
}

}  // namespace attnspan
