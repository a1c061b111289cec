#include "sweep/cell.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "train/cost.hpp"

namespace attnspan {
namespace {

constexpr long long most_cells = 100000;

/// The shortest training length: as asked for, else a quarter of the longest or, where the task
/// takes nothing so short, the shortest that it takes.
std::int64_t shortest_length(const TaskPlan& plan, std::int64_t longest) {
  const Task& task = *plan.task.task;
  task.check_length(longest);
  if (const std::int64_t asked = plan.settings.min_train_length; asked > 0) {
    if (asked > longest)
      throw InputError("min_train_length " + std::to_string(asked) + " is above train_length " +
                       std::to_string(longest) + ".");
    task.check_length(asked);
    return asked;
  }
  for (std::int64_t length = std::max<std::int64_t>(1, longest / 4); length < longest; ++length) {
    try {
      task.check_length(length);
      return length;
    } catch (const InputError&) {
    }
  }
  return longest;
}

std::vector<TestPoint> test_points(const TaskPlan& plan, std::int64_t train_length) {
  const Task& task = *plan.task.task;
  std::vector<TestPoint> points;
  for (const double multiple : plan.settings.multiples) {
    const std::int64_t length = std::llround(multiple * static_cast<double>(train_length));
    try {
      task.check_length(length);
    } catch (const InputError& error) {
      throw InputError("multiple " + shortest(multiple) + " of training length " +
                       std::to_string(train_length) + ": " + error.what());
    }
    std::int64_t samples = plan.settings.test_samples;
    if (plan.settings.test_tokens > 0)
      samples = std::clamp<std::int64_t>(
          plan.settings.test_tokens / task.total_tokens(length, Purpose::evaluation), 1, samples);
    points.push_back({multiple, length, samples});
  }
  return points;
}

void expand(const TaskPlan& plan, std::vector<Cell>& cells) {
  const Settings& settings = plan.settings;
  for (const std::int64_t train_length : settings.train_length) {
    const std::int64_t min_train_length = shortest_length(plan, train_length);
    const std::vector<TestPoint> tests = test_points(plan, train_length);
    for (const std::string& attention : settings.attention) {
      for (const std::string& position : settings.position) {
        Cell cell;
        cell.task = plan.task;
        cell.tests = tests;
        cell.model.layers = settings.layers;
        cell.model.heads = settings.heads;
        cell.model.d_model = settings.d_model;
        cell.model.d_ff = settings.d_ff;
        cell.model.vocabulary = plan.task.task->vocabulary_size();
        cell.model.attention = attention;
        cell.model.position = position;
        check(cell.model);
        TrainingOptions& training = cell.training;
        training.train_length = train_length;
        training.min_train_length = min_train_length;
        training.steps = settings.steps;
        training.batch_size = settings.batch_size;
        training.warmup_steps = settings.warmup_steps;
        training.final_learning_rate = settings.final_learning_rate;
        training.weight_decay = settings.weight_decay;
        training.beta1 = settings.beta1;
        training.beta2 = settings.beta2;
        training.clip = settings.clip;
        training.weight_average = settings.weight_average;
        training.early_stop = settings.early_stop;
        training.validate_every = settings.validate_every;
        training.validation_samples = settings.validation_samples;
        training.seed = static_cast<std::uint64_t>(settings.seed);
        for (const double learning_rate : settings.learning_rates) {
          training.learning_rate = learning_rate;
          for (int replicate = 0; replicate < settings.seeds; ++replicate) {
            training.replicate = replicate;
            cell.key = plan.task.label + "/" + attention + "/" + position + "/n" +
                       std::to_string(train_length) + "/lr" + shortest(learning_rate) + "/seed" +
                       std::to_string(replicate);
            cells.push_back(cell);
          }
        }
      }
    }
  }
}

std::string gibibytes(double bytes) {
  return shortest(std::ceil(bytes / (1 << 30) * 10) / 10) + " GiB";
}

}  // namespace

std::vector<Cell> expand(const SweepSpec& spec) {
  double count = 0;
  for (const TaskPlan& plan : spec.tasks) {
    const Settings& s = plan.settings;
    count += static_cast<double>(s.train_length.size()) * static_cast<double>(s.attention.size()) *
             static_cast<double>(s.position.size()) * static_cast<double>(s.learning_rates.size()) *
             static_cast<double>(s.seeds);
  }
  if (count > static_cast<double>(most_cells))
    throw InputError("the sweep has " + shortest(count) + " cells; at most " +
                     std::to_string(most_cells) + " are allowed.");
  std::vector<Cell> cells;
  for (const TaskPlan& plan : spec.tasks) expand(plan, cells);
  return cells;
}

CellCost cost(const Cell& cell) {
  const Task& task = *cell.task.task;
  CellCost cost;
  cost.training_flops = static_cast<double>(cell.training.steps) *
                        training_step_flops(cell.model, task, cell.training);
  cost.evaluation_flops = static_cast<double>(cell.training.validation_samples) *
                          evaluation_flops(cell.model, task, cell.training.train_length);
  for (const TestPoint& test : cell.tests)
    cost.evaluation_flops +=
        static_cast<double>(test.samples) * evaluation_flops(cell.model, task, test.length);
  return cost;
}

double peak_bytes(const Cell& cell, int threads) {
  const Task& task = *cell.task.task;
  double bytes = training_bytes(cell.model, task, cell.training, threads);
  for (const TestPoint& test : cell.tests)
    bytes = std::max(bytes, evaluation_bytes(cell.model, task, test.length, threads));
  return bytes;
}

void check_memory(const std::vector<Cell>& cells, int threads, double memory) {
  for (const Cell& cell : cells) {
    const Task& task = *cell.task.task;
    const auto refuse = [&](double bytes, const std::string& what, const std::string& lower) {
      throw InputError(what + " of " + cell.key + " needs about " + gibibytes(bytes) +
                       " of memory, and this machine has " + gibibytes(memory) + "; lower " +
                       lower + ".");
    };
    if (const double bytes = training_bytes(cell.model, task, cell.training, threads);
        bytes > memory)
      refuse(bytes, "training",
             "--d-model, --d-ff, --layers, --batch-size, --train-length or --threads");
    for (const TestPoint& test : cell.tests)
      if (const double bytes = evaluation_bytes(cell.model, task, test.length, threads);
          bytes > memory)
        refuse(bytes, "testing at length " + std::to_string(test.length),
               "--multiples, --d-model, --layers or --threads");
  }
}

Shard parse_shard(const std::string& text) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() != 2)
    throw InputError("--shard must be i/n, as in 2/8, not '" + text.substr(0, 80) + "'.");
  const long long index = parse_integer(parts[0], "the number before / in --shard");
  const long long count = parse_integer(parts[1], "the number after / in --shard");
  if (count < 1 || count > most_cells || index < 1 || index > count)
    throw InputError("--shard i/n must have n from 1 to " + std::to_string(most_cells) +
                     " and i from 1 to n, not '" + text.substr(0, 80) + "'.");
  return {static_cast<std::size_t>(index), static_cast<std::size_t>(count)};
}

std::vector<std::size_t> shard_cells(const std::vector<Cell>& cells, const Shard& shard) {
  std::vector<double> costs(cells.size());
  std::transform(cells.begin(), cells.end(), costs.begin(),
                 [](const Cell& cell) { return cost(cell).flops(); });
  std::vector<std::size_t> order(cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::set<std::pair<double, std::size_t>> loads;  // what each shard has so far, the least first
  for (std::size_t i = 1; i <= shard.count; ++i) loads.emplace(0, i);
  std::vector<std::size_t> mine;
  for (const std::size_t cell : order) {
    const auto [load, index] = loads.extract(loads.begin()).value();
    loads.emplace(load + costs[cell], index);
    if (index == shard.index) mine.push_back(cell);
  }
  std::sort(mine.begin(), mine.end());
  return mine;
}

}  // namespace attnspan
