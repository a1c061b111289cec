#include "sweep/cell_run.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "record/result.hpp"
#include "support/catch.hpp"
#include "train/cost.hpp"
#include "train/evaluator.hpp"

using namespace attnspan;

namespace {

std::vector<Cell> cells(const std::string& more) {
  const char* const tiny = R"({"train_length": 3, "multiples": [1, 4], "steps": 40,
      "batch_size": 8, "layers": 1, "heads": 2, "d_model": 16, "d_ff": 16, "test_samples": 10,
      "warmup_steps": 5, "validation_samples": 6, "early_stop": false})";
  return expand(resolve_spec(parse_spec(tiny, "spec"), parse_spec("{" + more + "}", "more")));
}

Json outcome(const CellRow& row) { return without_timings(to_json(row)); }

/// A task that learns nothing in particular and can be told to fail.
class FailingTask final : public Task {
 public:
  std::int32_t vocabulary_size() const override { return 2; }
  std::string token_name(Token token) const override { return std::to_string(token); }
  void check_length(std::int64_t) const override {}
  std::int64_t total_tokens(std::int64_t, Purpose) const override { return 2; }
  std::int64_t answer_tokens(std::int64_t, Purpose) const override { return 1; }
  Sample generate(Rng&, std::int64_t, Purpose) const override {
    throw std::runtime_error("no sample today");
  }
  std::vector<Token> solve(std::span<const Token>, std::span<const std::int32_t>) const override {
    return {};
  }
  double chance(std::int64_t) const override { return 0.5; }
  double token_chance() const override { return 0.5; }
};

/// Another task's samples, remembered by what they were drawn for.
class RememberingTask final : public Task {
 public:
  using Samples = std::multiset<std::pair<Purpose, std::vector<Token>>>;

  explicit RememberingTask(std::shared_ptr<const Task> task) : task_(std::move(task)) {}
  std::int32_t vocabulary_size() const override { return task_->vocabulary_size(); }
  std::string token_name(Token token) const override { return task_->token_name(token); }
  void check_length(std::int64_t length) const override { task_->check_length(length); }
  std::int64_t total_tokens(std::int64_t length, Purpose purpose) const override {
    return task_->total_tokens(length, purpose);
  }
  std::int64_t answer_tokens(std::int64_t length, Purpose purpose) const override {
    return task_->answer_tokens(length, purpose);
  }
  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    Sample sample = task_->generate(rng, length, purpose);
    const std::lock_guard lock(mutex_);
    samples_.emplace(purpose, sample.tokens);
    return sample;
  }
  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return task_->solve(hidden, answers);
  }
  double chance(std::int64_t length) const override { return task_->chance(length); }
  double token_chance() const override { return task_->token_chance(); }

  /// Those drawn since the last call.
  Samples take() const { return std::exchange(samples_, {}); }

 private:
  std::shared_ptr<const Task> task_;
  mutable std::mutex mutex_;
  mutable Samples samples_;
};

std::optional<CellRow> run(const Cell& cell, const RunOptions& options = {}) {
  MemoryStore store;
  return run_cell(cell, store, options);
}

}  // namespace

TEST_CASE("the cells of one seed are trained and tested on the same samples, whatever the variant",
          "[unit]") {
  std::map<int, RememberingTask::Samples> by_seed;
  std::vector<Cell> all = cells(R"("task": "copy:symbols=9", "attention": ["softmax", "asentmax"],
      "position": ["nape", "rope"], "learning_rates": [1e-3, 1e-2], "seeds": 2)");
  CHECK(all.size() == 16);
  for (Cell& cell : all) {
    INFO(cell.key);
    const auto task = std::make_shared<RememberingTask>(cell.task.task);
    cell.task.task = task;
    run(cell);
    // The fingerprint of a training may draw samples besides; they are the same for all.
    const RememberingTask::Samples samples = task->take();
    CHECK(samples.size() >= 40 * 8 + 2 * 10 + 6);
    const auto [found, is_first] = by_seed.emplace(cell.training.replicate, samples);
    CHECK((is_first || found->second == samples));
  }
  CHECK(by_seed.at(0) != by_seed.at(1));
}

TEST_CASE("a stopped cell goes on at the very step where it stopped", "[unit]") {
  const Cell cell = cells(R"("task": "copy:symbols=3")")[0];
  const Json whole = outcome(run(cell).value());
  MemoryStore store;
  std::atomic<bool> stop{false};
  std::int64_t stop_at = 0;
  std::vector<std::int64_t> steps;
  const RunOptions options{&stop, 1e9, [&](const CellProgress& progress) {
                             if (progress.test_length == 0) steps.push_back(progress.step);
                             stop = progress.step == stop_at || progress.test_length == stop_at;
                           }};
  // Twice in training, and after the validation at length 3.
  for (const std::int64_t when : {7, 30, 3}) {
    stop = false;
    stop_at = when;
    CHECK_FALSE(run_cell(cell, store, options).has_value());
  }
  stop = false;
  stop_at = -1;
  CHECK(outcome(run_cell(cell, store, options).value()) == whole);
  REQUIRE(steps.size() == 40);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == static_cast<int>(i) + 1);
}

TEST_CASE("a checkpoint is good for other tests, unless those of an earlier step lack", "[unit]") {
  const auto cell = [](const std::string& more) {
    return cells(R"("task": "copy:symbols=3", )" + more)[0];
  };
  const Cell before = cell(R"("test_at": [10, 20])");
  for (const auto& [after, first] :
       {std::pair{cell(R"("test_at": [10, 30])"), 26}, std::pair{cell(R"("test_at": 30)"), 26},
        std::pair{cell(R"("test_at": [5, 20])"), 1},
        std::pair{cell(R"("test_at": 20, "multiples": [1, 2, 4])"), 1},
        std::pair{cell(R"("multiples": [1, 2, 4])"), 26}}) {
    MemoryStore store;
    std::atomic<bool> stop{false};
    RunOptions options;
    options.stop = &stop;
    options.on_progress = [&](const CellProgress& progress) { stop = progress.step == 25; };
    REQUIRE_FALSE(run_cell(before, store, options).has_value());
    stop = false;
    std::int64_t first_step = 0;
    options.on_progress = [&](const CellProgress& progress) {
      if (first_step == 0) first_step = progress.step;
    };
    CHECK(outcome(run_cell(after, store, options).value()) == outcome(run(after).value()));
    CHECK(first_step == first);
  }
}

TEST_CASE("every evaluation says what its samples hold, given up or not", "[unit]") {
  const CellRow row = run(cells(R"("task": "recall:density=0.5,alphabet=32,queries=1", "steps": 1,
      "train_length": 24, "min_train_length": 24, "multiples": [1, 2, 4, 8], "give_up": true)")[0])
                          .value();
  REQUIRE(row.evaluations.size() == 5);
  CHECK(row.evaluations[4].given_up);
  for (const Evaluation& evaluation : row.evaluations) {
    REQUIRE(evaluation.quantities.size() == 1);
    CHECK(evaluation.quantities[0].name == "pairs");
    // Half of the context, six tokens a pair.
    CHECK(evaluation.quantities[0].value == evaluation.length / 12);
  }
  CHECK(to_json(row_from_json(to_json(row))) == to_json(row));
}

TEST_CASE("tests in training are those of a training that ends there", "[unit]") {
  const CellRow row = run(cells(R"("task": "copy:symbols=3", "test_at": [7, 40, 41],
      "warmup_steps": 0, "final_learning_rate": 1, "weight_average": 0.9)")[0])
                          .value();
  REQUIRE(row.during.size() == 1);
  CHECK(row.during[0].step == 7);
  const CellRow shorter = run(cells(R"("task": "copy:symbols=3", "steps": 7, "warmup_steps": 0,
      "final_learning_rate": 1, "weight_average": 0.9)")[0])
                              .value();
  CellRow as_tested = row;
  as_tested.evaluations = row.during[0].evaluations;
  CHECK(outcome(as_tested)["evaluations"] == outcome(shorter)["evaluations"]);
  const CellRow without = run(cells(R"("task": "copy:symbols=3", "warmup_steps": 0,
      "final_learning_rate": 1, "weight_average": 0.9)")[0])
                              .value();
  as_tested.evaluations = row.evaluations;
  as_tested.during.clear();
  CHECK(outcome(as_tested) == outcome(without));
}

TEST_CASE("the curve has a point every so many steps, and a diverged cell keeps its own",
          "[unit]") {
  const CellRow row = run(cells(R"("task": "copy:symbols=3", "validate_every": 15)")[0]).value();
  REQUIRE(row.train.curve.size() == 2);
  CHECK(row.train.curve[0].step == 15);
  CHECK(row.train.curve[1].step == 30);
  for (const CurvePoint& point : row.train.curve) {
    CHECK(point.loss > 0);
    CHECK(point.gradient_norm > 0);
    CHECK(point.exact_match >= 0);
  }
  CHECK(row.train.curve[0].learning_rate > row.train.curve[1].learning_rate);
  // The last point of a training that ends there says what its tests say.
  const CellRow ends = run(cells(R"("task": "copy:symbols=3", "validate_every": 40)")[0]).value();
  const Counts& validation = ends.evaluations[0].counts;
  CHECK(ends.train.curve[0].loss == ends.train.loss);
  CHECK(ends.train.curve[0].exact_match ==
        static_cast<double>(validation.exact) / static_cast<double>(validation.samples));
  CHECK(to_json(row_from_json(to_json(row))) == to_json(row));

  const CellRow wild = run(cells(R"("task": "copy:symbols=3", "validate_every": 1, "steps": 400,
      "learning_rates": 10, "clip": 1e9, "warmup_steps": 0, "weight_decay": 10)")[0])
                           .value();
  REQUIRE(wild.status == Status::diverged);
  CHECK(wild.train.curve.size() == static_cast<std::size_t>(wild.train.steps));
  CHECK(wild.train.steps > 0);
}

TEST_CASE("giving up leaves out what lies beyond two lengths without a right sample", "[unit]") {
  const std::string hopeless = R"("task": "copy:symbols=30", "steps": 1, "multiples": [1, 2, 3, 4],
      "validation_multiples": [1, 2, 3])";
  const CellRow row = run(cells(hopeless + R"(, "give_up": true)")[0]).value();
  REQUIRE(row.evaluations.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK(row.evaluations[i].given_up == (i > 4));
  CHECK(row.evaluations[6].multiple == 4);
  CHECK(row.evaluations[6].counts.samples == 0);
  CHECK(to_json(row_from_json(to_json(row))) == to_json(row));
  const CellRow stubborn = run(cells(hopeless)[0]).value();
  for (const Evaluation& evaluation : stubborn.evaluations) CHECK_FALSE(evaluation.given_up);
  // One length without a right sample is not enough, nor are two that are not next to each other.
  std::vector<Evaluation> done(3);
  for (Evaluation& evaluation : done) {
    evaluation.split = "test";
    evaluation.counts.samples = 64;
  }
  done[1].counts.exact = 1;
  CHECK_FALSE(gives_up(done));
  done[1].counts.exact = 0;
  CHECK(gives_up(done));
  done[1].split = "validation";
  CHECK_FALSE(gives_up(done));
}

TEST_CASE("a long evaluation in parts counts every sample once", "[unit]") {
  // Long and costly enough for parts of a few samples; guesses are right now and then.
  const Cell cell = cells(
      R"("task": "needle:needles=1,alphabet=2,noise=1,key_length=1,value_length=8",
         "train_length": 32, "multiples": 320, "test_samples": 5, "position": "nope", "layers": 3)")
      [0];
  REQUIRE(evaluation_flops(cell.model, *cell.task.task, 10240) > 3e9);
  const CellRow row = run(cell).value();
  Trainer trainer(cell.model, cell.task.task, cell.training);
  while (trainer.step() == TrainStatus::running) {
  }
  const Evaluated whole = evaluate(cell.model, trainer.weights(), *cell.task.task,
                                   {.length = 10240, .samples = 5, .shortcuts = true});
  const Counts& counts = whole.counts;
  REQUIRE(row.evaluations.size() == 2);
  const Counts& test = row.evaluations[1].counts;
  CHECK(test.samples == 5);
  CHECK(test.answer_tokens == counts.answer_tokens);
  CHECK(test.right_tokens == counts.right_tokens);
  CHECK(counts.right_tokens > 0);
  CHECK(test.exact == counts.exact);
  REQUIRE(test.depth.size() == counts.depth.size());
  for (std::size_t i = 0; i < counts.depth.size(); ++i)
    CHECK(test.depth[i].samples == counts.depth[i].samples);
  REQUIRE(row.evaluations[1].outcomes.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(row.evaluations[1].outcomes[i].right_tokens == whole.outcomes[i].right_tokens);
  REQUIRE(row.evaluations[1].shortcuts.size() == whole.shortcuts.size());
  for (std::size_t i = 0; i < whole.shortcuts.size(); ++i)
    CHECK(row.evaluations[1].shortcuts[i].value == Approx(whole.shortcuts[i].value).margin(1e-12));
}

TEST_CASE("progress only grows and ends at all", "[unit]") {
  const Cell cell = cells(R"("task": "copy:symbols=3")")[0];
  CellProgress last;
  RunOptions options;
  options.on_progress = [&](const CellProgress& progress) {
    CHECK(progress.trained >= last.trained);
    CHECK(progress.evaluated >= last.evaluated);
    last = progress;
  };
  run(cell, options);
  CHECK(last.trained == 1);
  CHECK(last.evaluated == Approx(1));
}

TEST_CASE("a cell that fails is a row that says why", "[unit]") {
  Cell cell = cells(R"("task": "copy:symbols=3")")[0];
  cell.task.task = std::make_shared<FailingTask>();
  cell.model.vocabulary = 2;
  MemoryStore store;
  const CellRow row = attempt_cell(cell, store, {}).value();
  CHECK(row.status == Status::failed);
  CHECK(row.message == "no sample today");
  CHECK(row.evaluations.empty());
}
