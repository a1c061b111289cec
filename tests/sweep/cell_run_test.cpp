#include "sweep/cell_run.hpp"

#include <unistd.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "record/result.hpp"
#include "support/catch.hpp"
#include "sweep/runner.hpp"
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

}  // namespace

TEST_CASE("a stopped cell goes on at the very step where it stopped", "[unit]") {
  const Cell cell = cells(R"("task": "copy:symbols=3")")[0];
  const Json whole = outcome(run_cell(cell, nullptr, {}).value());
  char folder[] = "/tmp/attnspan-cell-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const CheckpointFile file(std::string(folder) + "/checkpoint", {{"spec", Json::object()}});
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
    CHECK_FALSE(run_cell(cell, &file, options).has_value());
  }
  stop = false;
  stop_at = -1;
  CHECK(outcome(run_cell(cell, &file, options).value()) == whole);
  REQUIRE(steps.size() == 40);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == static_cast<int>(i) + 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a long evaluation in parts counts every sample once", "[unit]") {
  // Long and costly enough for parts of a few samples; guesses are right now and then.
  const Cell cell = cells(
      R"("task": "needle:needles=1,alphabet=2,noise=1,key_length=1,value_length=8",
         "train_length": 32, "multiples": 320, "test_samples": 5, "position": "nope", "layers": 3)")
      [0];
  REQUIRE(evaluation_flops(cell.model, *cell.task.task, 10240) > 3e9);
  const CellRow row = run_cell(cell, nullptr, {}).value();
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
    CHECK(row.evaluations[1].shortcuts[i].exact == whole.shortcuts[i].exact);
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
  run_cell(cell, nullptr, options);
  CHECK(last.trained == 1);
  CHECK(last.evaluated == Approx(1));
}

TEST_CASE("a cell that fails is a row that says why, and the next one runs", "[unit]") {
  std::vector<Cell> two = cells(R"("task": "copy:symbols=3", "seeds": 2)");
  two[0].task.task = std::make_shared<FailingTask>();
  two[0].model.vocabulary = 2;
  Runner runner(two, {0, 1}, nullptr, nullptr);
  CHECK(runner.pending().size() == 2);
  CHECK(runner.run({}, {}));
  const std::vector<CellRow> rows = runner.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].status == Status::failed);
  CHECK(rows[0].message == "no sample today");
  CHECK(rows[0].evaluations.empty());
  CHECK(rows[1].status == Status::done);
}

TEST_CASE("a failed cell is tried again, a finished one never", "[unit]") {
  const std::vector<Cell> three = cells(R"("task": "copy:symbols=3", "seeds": 3)");
  char folder[] = "/tmp/attnspan-cell-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  {
    Journal journal(std::string(folder) + "/journal", {{"spec", Json::object()}}, false);
    CellRow failed = empty_row(three[1]);
    failed.status = Status::failed;
    failed.message = "out of memory";
    CellRow diverged = empty_row(three[2]);
    diverged.status = Status::diverged;
    diverged.message = "the loss at step 3 is not a finite number";
    journal.append(failed);
    journal.append(diverged);
    Runner runner(three, {0, 1, 2}, &journal, nullptr);
    REQUIRE(runner.pending().size() == 2);
    CHECK(runner.pending()[0].key == three[0].key);
    CHECK(runner.pending()[1].key == three[1].key);
    CHECK(runner.run({}, {}));
    CHECK(runner.rows()[1].status == Status::done);
    CHECK(runner.rows()[2].status == Status::diverged);
    CHECK(Runner(three, {0, 1, 2}, &journal, nullptr).pending().empty());

    CellRow foreign = empty_row(three[0]);
    foreign.key = "sort/softmax/nape/n3/lr0.001/seed0";
    journal.append(foreign);
    CHECK_THROWS_AS(Runner(three, {0, 1, 2}, &journal, nullptr), InputError);
  }
  std::filesystem::remove_all(folder);
}
