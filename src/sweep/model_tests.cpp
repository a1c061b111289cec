#include "sweep/model_tests.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/growth.hpp"

namespace attnspan {
namespace {

/// The spec of the sweep of one cell that a row is of, with the tests that are asked for.
SweepSpec spec_of(const CellRow& row, const ModelTestRequest& request) {
  Json spec = row.settings;
  spec["attention"] = row.attention;
  spec["position"] = row.position;
  spec["train_length"] = row.train_length;
  spec["learning_rates"] = row.learning_rate;
  spec["seeds"] = row.seed + 1;
  spec["test_samples"] = request.samples;
  Json& multiples = spec["multiples"] = Json::array();
  for (const double multiple : request.multiples) multiples.push_back(multiple);
  for (const double length : request.lengths)
    multiples.push_back(length / static_cast<double>(row.train_length));
  return resolve_spec(spec, Json::object());
}

/// The tests on another task; keys and settings say so.
void change_task(ModelTest& test, const NamedTask& task) {
  Cell& cell = test.cell;
  if (task.resolved == cell.task.resolved) return;
  if (task.task->vocabulary_size() > cell.model.vocabulary)
    throw InputError(cell.key + " knows " + std::to_string(cell.model.vocabulary) +
                     " tokens, but " + task.label + " has " +
                     std::to_string(task.task->vocabulary_size()) + ".");
  cell.key += "/task=" + task.label;
  cell.settings["trained_on"] = cell.task.resolved;
  cell.settings["task"] = task.resolved;
  const std::string label = task.label + " by models of " + cell.task.label;
  cell.task = task;
  std::erase_if(cell.tests, [](const TestPoint& point) { return point.stream != Stream::test; });
  for (TestPoint& point : cell.tests) {
    task.task->check_length(point.length);
    point.samples = available_samples(*task.task, point.stream, point.length, point.samples);
  }
  // Chance is that of guessing at a length that there is.
  const std::int64_t train_length =
      std::exchange(cell.training.train_length, cell.tests.front().length);
  CellRow row = empty_row(cell);
  cell.training.train_length = row.train_length = train_length;
  row.task = label;
  row.train = test.trained.row.train;
  test.trained.row = std::move(row);
}

}  // namespace

ModelTestPlan plan_model_tests(const std::vector<std::string>& paths,
                               const ModelTestRequest& request) {
  ModelTestPlan plan;
  std::map<std::string, std::string> path_by_identity;
  for (const std::string& path : paths) {
    ModelTest& test = plan.tests.emplace_back();
    test.trained = load_trained_cell(path);
    const std::string name = identity(test.trained.row);
    if (const auto [other, is_new] = path_by_identity.emplace(name, path); !is_new)
      throw InputError("'" + path + "' and '" + other->second + "' are models of the same cell, " +
                       test.trained.row.key + ".");
    try {
      const SweepSpec spec = spec_of(test.trained.row, request);
      plan.spec = plan.spec.tasks.empty() ? spec : grow(plan.spec, spec, true);
      const std::vector<Cell> cells = expand(spec);
      const auto cell = std::find_if(cells.begin(), cells.end(),
                                     [&](const Cell& each) { return identity(each) == name; });
      // What the longest training sample has follows from the task; older files do not say it.
      if (cell != cells.end()) test.trained.model.train_tokens = cell->model.train_tokens;
      if (cell == cells.end() || cell->model != test.trained.model)
        throw InputError("its model is not that of its cell.");
      test.cell = *cell;
    } catch (const InputError& error) {
      throw InputError("'" + path + "': " + error.what());
    }
  }
  // Only here are the keys known that tell all of them apart.
  std::map<std::string, std::string> key_by_identity;
  for (const Cell& cell : expand(plan.spec)) key_by_identity.emplace(identity(cell), cell.key);
  for (ModelTest& test : plan.tests) {
    test.cell.key = key_by_identity.at(identity(test.trained.row));
    test.cell.training.steps = 0;
    // Its tests are of this program's arithmetic; that of its training is told where it was
    // another.
    const std::int64_t trained_with =
        std::exchange(test.trained.row.numerics, empty_row(test.cell).numerics);
    if (trained_with != test.trained.row.numerics)
      test.trained.row.settings["trained_with_numerics"] =
          test.cell.settings["trained_with_numerics"] = trained_with;
    if (request.task) change_task(test, *request.task);
  }
  return plan;
}

}  // namespace attnspan
