#include "sweep/cell_run.hpp"

#include <algorithm>
#include <new>
#include <string_view>

#include "core/error.hpp"
#include "core/stopwatch.hpp"
#include "train/cost.hpp"
#include "train/evaluator.hpp"
#include "train/inspector.hpp"
#include "train/numerics.hpp"
#include "train/trainer.hpp"

namespace attnspan {
namespace {

/// Long evaluations are done in parts of a second or less, between which a checkpoint may be taken.
constexpr double flops_of_a_part = 1e10;

std::string_view split_of(const TestPoint& point) {
  return point.stream == Stream::validation ? "validation" : "test";
}

/// An evaluation of no samples yet.
Evaluation begin(const Task& task, const TestPoint& point) {
  Evaluation evaluation;
  evaluation.length = point.length;
  evaluation.multiple = point.multiple;
  evaluation.split = split_of(point);
  evaluation.quantities = task.quantities(point.length);
  return evaluation;
}

bool is_at(const Evaluation& evaluation, const TestPoint& point) {
  return evaluation.split == split_of(point) && evaluation.multiple == point.multiple &&
         evaluation.length == point.length;
}

void append(Evaluation& evaluation, const Evaluated& part) {
  evaluation.counts.add(part.counts);
  evaluation.outcomes.insert(evaluation.outcomes.end(), part.outcomes.begin(), part.outcomes.end());
  if (part.errors) {
    if (!evaluation.errors) evaluation.errors.emplace();
    evaluation.errors->add(*part.errors);
  }
  if (evaluation.shortcuts.empty()) {
    evaluation.shortcuts = part.shortcuts;
    return;
  }
  for (std::size_t i = 0; i < part.shortcuts.size(); ++i) {
    double& value = evaluation.shortcuts[i].value;
    value += (part.shortcuts[i].value - value) * static_cast<double>(part.counts.samples) /
             static_cast<double>(evaluation.counts.samples);
  }
}

/// Whether these evaluations are the first of what the cell asks for, the last perhaps cut short.
bool are_begun(const std::vector<Evaluation>& evaluations, const Cell& cell) {
  if (evaluations.size() > cell.tests.size()) return false;
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    const bool is_last = i + 1 == evaluations.size();
    const bool is_part = is_last && is_at(evaluations[i], cell.tests[i]) &&
                         evaluations[i].counts.samples <= cell.tests[i].samples;
    if (!is_part && !is_evaluation_of(evaluations[i], cell.tests[i])) return false;
  }
  return true;
}

/// One run of a cell.
class CellRun {
 public:
  CellRun(const Cell& cell, Store& store, const RunOptions& options)
      : cell_(cell),
        store_(store),
        options_(options),
        tells_errors_(options.errors && cell.task.task->confusions()),
        row_(empty_row(cell)) {
    if (options.trained == nullptr) trainer_.emplace(cell.model, cell.task.task, cell.training);
    resume();
    for (const TestPoint& point : cell.tests)
      if (known(point) == nullptr) test_flops_ += flops(point);
    if (options.trained == nullptr) test_flops_ *= static_cast<double>(1 + cell.test_at.size());
  }

  std::optional<CellRow> run() {
    const bool finished = train() && (row_.status != Status::done || test_trained());
    if (!finished) {
      save();
      return std::nullopt;
    }
    if (row_.status == Status::done && trainer_ && options_.on_trained)
      options_.on_trained(row_, trainer_->weights());
    return row_;
  }

 private:
  void resume() {
    if (options_.trained != nullptr) {
      row_ = options_.trained->row;
      row_.key = cell_.key;
      row_.evaluations.clear();
    }
    const std::optional<Checkpoint> checkpoint = store_.load(cell_);
    if (!checkpoint || identity(checkpoint->row) != identity(cell_)) return;
    CellRow row = checkpoint->row;
    row.key = cell_.key;
    // The sweep may ask for other tests by now. Those of an earlier step cannot be made up for.
    // Errors are told apart in all samples of a test or in none.
    const bool fit = std::all_of(row.evaluations.begin(), row.evaluations.end(),
                                 [&](const Evaluation& evaluation) {
                                   return evaluation.given_up || evaluation.split != "test" ||
                                          evaluation.errors.has_value() == tells_errors_;
                                 });
    if (!fit || !are_begun(row.evaluations, cell_)) row.evaluations.clear();
    if (options_.trained != nullptr) {
      row_.evaluations = std::move(row.evaluations);
      return;
    }
    std::erase_if(row.during, [&](const Snapshot& snapshot) {
      return !is_test_step(snapshot.step) || !are_begun(snapshot.evaluations, cell_);
    });
    for (const std::int64_t step : cell_.test_at)
      if (step < row.train.steps && !is_tested(row, step, cell_)) return;
    try {
      trainer_->load(checkpoint->trainer);
    } catch (const InputError&) {
      return;  // written by a program with another idea of a trainer's state
    }
    row_ = std::move(row);
  }

  bool is_test_step(std::int64_t step) const {
    return std::find(cell_.test_at.begin(), cell_.test_at.end(), step) != cell_.test_at.end();
  }

  double flops(const TestPoint& point) const {
    return static_cast<double>(point.samples) *
           evaluation_flops(cell_.model, *cell_.task.task, point.length);
  }

  bool stopped() const { return options_.stop && *options_.stop; }

  std::span<const float> weights() const {
    return trainer_ ? trainer_->weights() : std::span<const float>(options_.trained->weights);
  }

  /// What is there already of a test of a trained cell, if anything.
  const Evaluation* known(const TestPoint& point) const {
    if (options_.trained == nullptr) return nullptr;
    for (const Evaluation& evaluation : options_.trained->row.evaluations)
      if (is_evaluation_of(evaluation, point) && !evaluation.given_up &&
          is_diagnosed(evaluation, *cell_.task.task, options_))
        return &evaluation;
    return nullptr;
  }

  void save() {
    // Without the saved model, a trained cell starts from its beginning.
    store_.save({row_, trainer_ ? trainer_->save() : std::string()});
    since_checkpoint_ = Stopwatch();
  }

  void save_when_due() {
    if (since_checkpoint_.seconds() >= options_.checkpoint_seconds) save();
  }

  void tell() const {
    if (options_.on_progress) options_.on_progress(progress_);
  }

  /// False when stopped.
  bool train() {
    if (!trainer_) return true;
    while (trainer_->status() == TrainStatus::running) {
      if (is_test_step(trainer_->steps_done())) {
        if (!test(snapshot().evaluations, false)) return false;
        if (row_.status != Status::done) return true;
      }
      if (stopped()) return false;
      const Stopwatch stopwatch;
      trainer_->step();
      account(stopwatch.seconds());
      tell();
      save_when_due();
    }
    if (trainer_->status() == TrainStatus::diverged) diverge(trainer_->message());
    return true;
  }

  void account(double seconds) {
    row_.train.steps = trainer_->steps_done();
    row_.train.tokens = trainer_->tokens_seen();
    row_.train.loss = trainer_->mean_loss();
    row_.train.curve = trainer_->curve();
    row_.train.seconds += seconds;
    row_.train.tokens_per_second = static_cast<double>(row_.train.tokens) / row_.train.seconds;
    progress_.step = trainer_->steps_done();
    progress_.loss = trainer_->mean_loss();
    progress_.trained =
        static_cast<double>(progress_.step) / static_cast<double>(cell_.training.steps);
    progress_.test_length = 0;
  }

  void diverge(const std::string& message) {
    row_.status = Status::diverged;
    row_.message = message;
    row_.evaluations.clear();
    row_.during.clear();
  }

  Snapshot& snapshot() {
    const std::int64_t step = trainer_->steps_done();
    if (row_.during.empty() || row_.during.back().step != step) row_.during.push_back({step, {}});
    return row_.during.back();
  }

  /// False when stopped.
  bool test_trained() {
    progress_.trained = 1;
    return test(row_.evaluations, true);
  }

  /// Adds what is missing; the last that is there may be one that a checkpoint cut short. False
  /// when stopped. `diagnoses`: with what is asked for beside the counts.
  bool test(std::vector<Evaluation>& evaluations, bool diagnoses) {
    for (std::size_t i = 0; i < cell_.tests.size(); ++i) {
      const TestPoint& point = cell_.tests[i];
      const Evaluation* const there = known(point);
      const double before = progress_.evaluated;
      if (i == evaluations.size()) {
        const bool ends_here = cell_.give_up && point.stream == Stream::test;
        const Task& task = *cell_.task.task;
        evaluations.push_back(ends_here && gives_up(evaluations) ? given_up_evaluation(task, point)
                              : there != nullptr                 ? *there
                                                                 : begin(task, point));
      }
      const bool looks = diagnoses && point.stream == Stream::test;
      if (!evaluations[i].given_up && !test(point, evaluations[i], looks)) return false;
      if (row_.status != Status::done) return true;
      if (there != nullptr) continue;
      progress_.evaluated = before + flops(point) / test_flops_;
      tell();
    }
    return true;
  }

  /// False when stopped.
  bool test(const TestPoint& point, Evaluation& evaluation, bool diagnoses) {
    const Task& task = *cell_.task.task;
    const auto part = 1 + static_cast<std::int64_t>(
                              flops_of_a_part / evaluation_flops(cell_.model, task, point.length));
    const double before = progress_.evaluated;
    progress_.test_length = point.length;
    while (evaluation.counts.samples < point.samples) {
      const Stopwatch stopwatch;
      const std::int64_t done = evaluation.counts.samples;
      const auto advance = [&](std::int64_t more) {
        progress_.evaluated = before + flops(point) / test_flops_ *
                                           static_cast<double>(done + more) /
                                           static_cast<double>(point.samples);
        tell();
      };
      const Evaluated evaluated = evaluate(cell_.model, weights(), task,
                                           {.seed = cell_.training.seed,
                                            .stream = point.stream,
                                            .length = point.length,
                                            .samples = std::min(part, point.samples - done),
                                            .replicate = cell_.training.replicate,
                                            .first = done,
                                            .shortcuts = point.stream == Stream::test,
                                            .last = cell_.training.train_length,
                                            .errors = tells_errors_ && diagnoses},
                                           options_.stop, advance);
      if (evaluated.stopped) return false;
      if (!evaluated.finite) {
        diverge("an output was not a finite number when tested at length " +
                std::to_string(point.length) + " after step " + std::to_string(row_.train.steps));
        return true;
      }
      append(evaluation, evaluated);
      evaluation.seconds += stopwatch.seconds();
      save_when_due();
    }
    return !diagnoses || !options_.diagnosis || evaluation.diagnosis || diagnose(point, evaluation);
  }

  /// Looks at the heads in the first samples of a test. False when stopped.
  bool diagnose(const TestPoint& point, Evaluation& evaluation) {
    const Task& task = *cell_.task.task;
    EvaluationRequest request{.seed = cell_.training.seed,
                              .length = cell_.training.train_length,
                              .samples = samples_looked_at,
                              .replicate = cell_.training.replicate};
    if (!reference_)
      reference_ = reference_outputs(cell_.model, weights(), task, request, options_.stop);
    request.length = point.length;
    request.samples = std::min(samples_looked_at, point.samples);
    Inspected inspected = inspect(cell_.model, weights(), task, request,
                                  reference_ ? &*reference_ : nullptr, options_.stop);
    if (inspected.stopped || stopped()) return false;
    evaluation.diagnosis = std::move(inspected.figures);
    return true;
  }

  const Cell& cell_;
  Store& store_;
  const RunOptions& options_;
  const bool tells_errors_;                   ///< whether it is asked for and the task does
  std::optional<OutputReference> reference_;  ///< once a diagnosis needed it
  std::optional<Trainer> trainer_;            ///< unless the model is trained already
  CellRow row_;
  CellProgress progress_;
  double test_flops_ = 0;  ///< of all tests to be run, those of training too
  Stopwatch since_checkpoint_;
};

/// The row of a cell that could not be run, and why.
CellRow failed_row(const Cell& cell, const std::string& message) {
  CellRow row = empty_row(cell);
  row.status = Status::failed;
  row.message = message;
  return row;
}

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
  row.numerics = numerics();
  row.parameters = parameter_count(cell.model);
  row.metric = &cell.task.task->metric();
  row.chance = cell.task.task->chance(cell.training.train_length);
  row.token_chance = cell.task.task->token_chance();
  return row;
}

bool is_evaluation_of(const Evaluation& evaluation, const TestPoint& point) {
  return is_at(evaluation, point) &&
         (evaluation.given_up || evaluation.counts.samples == point.samples);
}

bool is_diagnosed(const Evaluation& evaluation, const Task& task, const RunOptions& options) {
  if (evaluation.given_up || evaluation.split != "test") return true;
  return (!options.diagnosis || evaluation.diagnosis) &&
         (!options.errors || evaluation.errors || !task.confusions());
}

bool is_tested(const CellRow& row, std::int64_t step, const Cell& cell) {
  return std::any_of(row.during.begin(), row.during.end(), [&](const Snapshot& snapshot) {
    return snapshot.step == step && snapshot.evaluations.size() == cell.tests.size() &&
           is_evaluation_of(snapshot.evaluations.back(), cell.tests.back());
  });
}

bool gives_up(const std::vector<Evaluation>& evaluations) {
  const auto is_dead = [](const Evaluation& evaluation) {
    // A likelihood has no right samples, and is never out of reach.
    return evaluation.split == "test" &&
           (evaluation.given_up ||
            (evaluation.counts.exact == 0 && evaluation.counts.last.tokens == 0));
  };
  return evaluations.size() >= 2 && is_dead(evaluations.back()) &&
         is_dead(evaluations[evaluations.size() - 2]);
}

Evaluation given_up_evaluation(const Task& task, const TestPoint& point) {
  Evaluation evaluation = begin(task, point);
  evaluation.given_up = true;
  return evaluation;
}

std::optional<CellRow> run_cell(const Cell& cell, Store& store, const RunOptions& options) {
  return CellRun(cell, store, options).run();
}

std::optional<CellRow> attempt_cell(const Cell& cell, Store& store, const RunOptions& options) {
  try {
    return run_cell(cell, store, options);
  } catch (const FileError&) {
    throw;
  } catch (const std::bad_alloc&) {
    return failed_row(cell, "out of memory");
  } catch (const std::exception& error) {
    return failed_row(cell, error.what());
  }
}

}  // namespace attnspan
