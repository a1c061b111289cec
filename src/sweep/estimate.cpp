#include "sweep/estimate.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/stopwatch.hpp"
#include "train/cost.hpp"
#include "train/evaluator.hpp"
#include "train/trainer.hpp"

namespace attnspan {
namespace {

constexpr double budget_seconds = 1;
/// Only bounds how much work one measurement is given; the speed itself is measured.
constexpr double presumed_flops_per_second = 5e10;

struct Speed {
  double training = 0;    ///< flop/s
  double evaluation = 0;  ///< flop/s
};

/// Cells whose models and batches have the same shape run at the same speed.
using Group =
    std::tuple<std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
               std::int64_t, std::int64_t, std::string, std::string, std::int64_t, std::int64_t>;
Group group_of(const Cell& cell) {
  const ModelConfig& model = cell.model;
  return {cell.task.resolved,
          model.attention,
          model.position,
          model.layers,
          model.heads,
          model.d_model,
          model.d_ff,
          model.d_head(),
          model.feed_forward,
          model.output_gate,
          cell.training.train_length,
          cell.training.batch_size};
}

/// Trains and evaluates the cell's model for a moment, with work of about `flops` for each.
Speed measure(const Cell& cell, double flops) {
  const Task& task = *cell.task.task;
  TrainingOptions training = cell.training;
  training.min_train_length = training.train_length;  // the length that the cost formula is for
  training.steps = 3;
  training.validate_every = training.steps + 1;
  const double step = training_step_flops(cell.model, task, training);
  training.batch_size = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(static_cast<double>(training.batch_size) * flops / step), 1,
      training.batch_size);
  Trainer trainer(cell.model, cell.task.task, training);
  trainer.step();  // takes its memory
  const Stopwatch training_time;
  trainer.step();
  trainer.step();
  Speed speed;
  speed.training = 2 * training_step_flops(cell.model, task, training) / training_time.seconds();

  // The longest test that the work allows.
  EvaluationRequest request{training.seed, Stream::test, training.train_length, 1};
  for (const TestPoint& test : cell.tests)
    if (evaluation_flops(cell.model, task, test.length) <= flops)
      request.length = std::max(request.length, test.length);
  const double sample = evaluation_flops(cell.model, task, request.length);
  request.samples = std::clamp<std::int64_t>(static_cast<std::int64_t>(flops / sample), 1,
                                             cell.training.validation_samples);
  const Stopwatch evaluation_time;
  evaluate(cell.model, trainer.weights(), task, request);
  speed.evaluation = static_cast<double>(request.samples) * sample / evaluation_time.seconds();
  return speed;
}

Speed mean(const std::vector<Speed>& speeds) {
  // Harmonic: times are what adds up.
  Speed inverse;
  for (const Speed& speed : speeds) {
    inverse.training += 1 / speed.training;
    inverse.evaluation += 1 / speed.evaluation;
  }
  const auto count = static_cast<double>(speeds.size());
  return {count / inverse.training, count / inverse.evaluation};
}

}  // namespace

std::vector<CellTime> estimate_times(const std::vector<Cell>& cells,
                                     const std::atomic<bool>* stop) {
  std::map<Group, const Cell*> groups;
  for (const Cell& cell : cells) groups.emplace(group_of(cell), &cell);
  const double flops = std::max(
      2e8, budget_seconds * presumed_flops_per_second / 4 / static_cast<double>(groups.size() + 1));

  // In the order of the cells, so that every attention variant has its turn soon; those that the
  // second does not suffice for are taken to be as fast as the others of their attention variant.
  std::map<Group, Speed> speeds;
  std::map<std::string, std::vector<Speed>> by_attention;
  std::vector<Speed> all;
  const Stopwatch elapsed;
  for (const Cell& cell : cells) {
    const Group group = group_of(cell);
    if (speeds.contains(group)) continue;
    if (!all.empty() && (elapsed.seconds() > budget_seconds || (stop && *stop))) break;
    const Speed speed = measure(cell, flops);
    speeds.emplace(group, speed);
    by_attention[cell.model.attention].push_back(speed);
    all.push_back(speed);
  }

  std::vector<CellTime> times;
  for (const Cell& cell : cells) {
    const auto measured = speeds.find(group_of(cell));
    const auto alike = by_attention.find(cell.model.attention);
    const Speed speed = measured != speeds.end()      ? measured->second
                        : alike != by_attention.end() ? mean(alike->second)
                                                      : mean(all);
    const CellCost work = cost(cell);
    times.push_back(
        {work.training_flops / speed.training, work.evaluation_flops / speed.evaluation});
  }
  return times;
}

}  // namespace attnspan
