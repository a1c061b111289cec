#include "sweep/cell.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
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
std::int64_t shortest_length(const Task& task, const TrainingOptions& training) {
  const std::int64_t longest = training.train_length;
  task.check_length(longest);
  if (const std::int64_t asked = training.min_train_length; asked > 0) {
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

std::vector<TestPoint> test_points(const Task& task, const Settings& settings) {
  const std::int64_t train_length = settings.training.train_length;
  std::vector<TestPoint> points;
  const auto add = [&](Stream stream, const std::vector<double>& multiples, std::int64_t samples) {
    for (const double multiple : multiples) {
      const std::int64_t length = std::llround(multiple * static_cast<double>(train_length));
      if (!points.empty() && points.back().stream == stream && points.back().length == length)
        throw InputError("multiples " + shortest(points.back().multiple) + " and " +
                         shortest(multiple) + " of training length " +
                         std::to_string(train_length) + " are the same length, " +
                         std::to_string(length) + "; leave one of them out.");
      try {
        task.check_length(length);
      } catch (const InputError& error) {
        throw InputError("multiple " + shortest(multiple) + " of training length " +
                         std::to_string(train_length) + ": " + error.what());
      }
      std::int64_t afforded = samples;
      if (const std::int64_t budget = settings.testing.test_tokens; budget > 0)
        afforded = std::clamp<std::int64_t>(budget / task.total_tokens(length, Purpose::evaluation),
                                            1, samples);
      points.push_back(
          {stream, multiple, length, available_samples(task, stream, length, afforded)});
    }
  };
  add(Stream::validation, settings.testing.validation_multiples,
      settings.training.validation_samples);
  add(Stream::test, settings.testing.multiples, settings.testing.test_samples);
  return points;
}

/// Throws InputError where the model knows too few positions for training or a test.
void check_test_lengths(const Cell& cell) {
  const std::int64_t longest = longest_sequence(cell.model);
  const auto check_tokens = [&](std::int64_t tokens, const std::string& what) {
    if (tokens > longest)
      throw InputError("position " + cell.model.position + " takes at most " +
                       std::to_string(longest) + " tokens, but " + what + " has " +
                       std::to_string(tokens) + "; raise its number of positions, or " +
                       "test shorter lengths.");
  };
  check_tokens(cell.model.train_tokens, "training");
  for (const TestPoint& point : cell.tests)
    check_tokens(cell.task.task->total_tokens(point.length, Purpose::evaluation),
                 "multiple " + shortest(point.multiple));
}

/// The axes from the outermost loop to the innermost.
std::vector<const SettingKey*> nested_axes() {
  std::vector<const SettingKey*> axes;
  for (const SettingKey& key : setting_keys())
    if (key.is_axis()) axes.push_back(&key);
  const auto named = [&](const char* name) {
    return std::find_if(axes.begin(), axes.end(),
                        [&](const SettingKey* key) { return key->name == name; });
  };
  const auto length = named("train_length");
  std::rotate(axes.begin(), length, length + 1);
  const auto rate = named("learning_rates");
  std::rotate(rate, rate + 1, axes.end());
  return axes;
}

/// Calls `visit` with the settings of every combination.
void for_each_combination(const Grid& grid, const std::function<void(const Settings&)>& visit) {
  std::vector<std::pair<const SettingKey*, std::vector<Json>>> axes;
  for (const SettingKey* key : nested_axes())
    if (std::vector<Json> values = grid.values(*key); values.size() > 1)
      axes.emplace_back(key, std::move(values));
  std::vector<std::size_t> at(axes.size(), 0);
  Settings settings = grid.settings;
  while (true) {
    for (std::size_t i = 0; i < axes.size(); ++i)
      axes[i].first->assign(settings, axes[i].second[at[i]]);
    visit(settings);
    std::size_t turned = axes.size();
    while (turned > 0 && ++at[turned - 1] == axes[turned - 1].second.size()) at[--turned] = 0;
    if (turned == 0) return;
  }
}

double combinations(const Grid& grid) {
  auto count = static_cast<double>(grid.settings.design.seeds);
  for (const auto& [name, values] : grid.axes) count *= static_cast<double>(values.size());
  return count;
}

/// Adds the tests that `more` has and `cell` has not, or has with fewer samples.
void unite(Cell& cell, const Cell& more) {
  for (const TestPoint& point : more.tests) {
    const auto same =
        std::find_if(cell.tests.begin(), cell.tests.end(), [&](const TestPoint& have) {
          return have.stream == point.stream && have.multiple == point.multiple;
        });
    if (same == cell.tests.end())
      cell.tests.push_back(point);
    else
      same->samples = std::max(same->samples, point.samples);
  }
  std::sort(cell.tests.begin(), cell.tests.end(), [](const TestPoint& a, const TestPoint& b) {
    return std::pair(a.stream, a.multiple) < std::pair(b.stream, b.multiple);
  });
  std::vector<std::int64_t> steps;
  std::set_union(cell.test_at.begin(), cell.test_at.end(), more.test_at.begin(), more.test_at.end(),
                 std::back_inserter(steps));
  cell.test_at = std::move(steps);
  cell.give_up = cell.give_up && more.give_up;
}

/// The cells of one entry of the task list; their keys are still to be made.
std::vector<Cell> expand(const TaskPlan& plan) {
  std::vector<Cell> cells;
  for_each_combination(plan.grid, [&](const Settings& settings) {
    Cell cell;
    cell.task = plan.task;
    cell.model = settings.model;
    cell.model.vocabulary = plan.task.task->vocabulary_size();
    cell.training = settings.training;
    cell.training.min_train_length = shortest_length(*plan.task.task, settings.training);
    cell.model.train_tokens =
        plan.task.task->total_tokens(settings.training.train_length, Purpose::training);
    check(cell.model);
    cell.tests = test_points(*plan.task.task, settings);
    check_test_lengths(cell);
    cell.test_at = settings.testing.test_at;
    cell.give_up = settings.testing.give_up;
    cell.settings = training_settings(plan.task, settings);
    for (int replicate = 0; replicate < settings.design.seeds; ++replicate) {
      cell.training.replicate = replicate;
      cells.push_back(cell);
    }
  });
  return cells;
}

/// The settings that tell the cells of a task apart, beside those that are in every key.
std::set<std::string> varying_settings(const std::vector<const Cell*>& cells) {
  std::set<std::string> varying;
  const auto note = [&](const Json& here, const Json& there) {
    for (const auto& [name, value] : here.items())
      if (!there.contains(name) || there[name] != value) varying.insert(name);
  };
  for (const Cell* cell : cells) {
    note(cell->settings, cells.front()->settings);
    note(cells.front()->settings, cell->settings);
  }
  return varying;
}

std::string key_of(const Cell& cell, const std::set<std::string>& varying) {
  std::string key = cell.task.label + "/" + cell.model.attention + "/" + cell.model.position +
                    "/n" + std::to_string(cell.training.train_length) + "/lr" +
                    shortest(cell.training.learning_rate);
  for (const auto& [name, value] : cell.settings.items())
    if (varying.contains(name))
      key +=
          "/" + name + "=" + (value.is_number() ? shortest(value.get<double>()) : to_line(value));
  return key + "/seed" + std::to_string(cell.training.replicate);
}

std::string identity_of(const Json& settings, const std::string& attention,
                        const std::string& position, std::int64_t train_length,
                        double learning_rate, int replicate) {
  static const Json defaults = training_settings({}, {});
  std::map<std::string, std::string> values;  // in an order that does not depend on who wrote them
  for (const Json* json : {&defaults, &settings})
    for (const auto& [name, value] : json->items())
      values[name] = value.is_number() ? shortest(value.get<double>()) : to_line(value);
  std::string text = attention + " " + position + " n" + std::to_string(train_length) + " lr" +
                     shortest(learning_rate) + " seed" + std::to_string(replicate);
  for (const auto& [name, value] : values) text += " " + name + "=" + value;
  return text;
}

double peak_training_bytes(const Cell& cell, int threads) {
  if (cell.training.steps == 0) return 0;
  return training_bytes(cell.model, *cell.task.task, cell.training, threads);
}

std::string gibibytes(double bytes) {
  return shortest(std::ceil(bytes / (1 << 30) * 10) / 10) + " GiB";
}

}  // namespace

Json training_settings(const NamedTask& task, const Settings& settings) {
  Json json{{"task", task.resolved}};
  for (const SettingKey& key : setting_keys())
    // When training stops depends on the validation samples only if it may stop early.
    if ((key.is_axis() && key.group != SettingKey::Group::axes) ||
        (key.name == "validation_samples" && settings.training.early_stop))
      json[key.name] = key.value(settings);
  return json;
}

std::string identity(const Cell& cell) {
  return identity_of(cell.settings, cell.model.attention, cell.model.position,
                     cell.training.train_length, cell.training.learning_rate,
                     cell.training.replicate);
}

std::string identity(const CellRow& row) {
  Json settings = row.settings;
  if (const auto task = settings.find("task"); task != settings.end() && task->is_string())
    *task = resolve_task(task->get<std::string>());
  return identity_of(settings, row.attention, row.position, row.train_length, row.learning_rate,
                     row.seed);
}

std::vector<Cell> expand(const SweepSpec& spec) {
  double count = 0;
  for (const TaskPlan& plan : spec.tasks) count += combinations(plan.grid);
  if (count > static_cast<double>(most_cells))
    throw InputError("the sweep has " + shortest(count) + " cells; at most " +
                     std::to_string(most_cells) + " are allowed.");
  std::vector<Cell> cells;
  std::map<std::string, std::size_t> index_by_identity;
  for (const TaskPlan& plan : spec.tasks)
    for (Cell& cell : expand(plan)) {
      const auto [known, is_new] = index_by_identity.try_emplace(identity(cell), cells.size());
      if (is_new)
        cells.push_back(std::move(cell));
      else
        unite(cells[known->second], cell);
    }
  std::map<std::string, std::vector<const Cell*>> by_task;
  for (const Cell& cell : cells) by_task[cell.task.label].push_back(&cell);
  std::map<std::string, std::set<std::string>> varying;
  for (const auto& [label, of_task] : by_task) varying[label] = varying_settings(of_task);
  for (Cell& cell : cells) cell.key = key_of(cell, varying[cell.task.label]);
  return cells;
}

CellCost cost(const Cell& cell) {
  const Task& task = *cell.task.task;
  CellCost cost;
  const TrainingOptions& training = cell.training;
  const std::int64_t validations = training.steps / training.validate_every;
  cost.training_flops =
      static_cast<double>(training.steps) * mean_training_step_flops(cell.model, task, training) +
      static_cast<double>(validations * training.validation_samples) *
          evaluation_flops(cell.model, task, training.train_length);
  for (const TestPoint& test : cell.tests)
    cost.evaluation_flops += static_cast<double>(1 + cell.test_at.size()) *
                             static_cast<double>(test.samples) *
                             evaluation_flops(cell.model, task, test.length);
  return cost;
}

double peak_bytes(const Cell& cell, int threads) {
  const Task& task = *cell.task.task;
  double bytes = peak_training_bytes(cell, threads);
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
    if (const double bytes = peak_training_bytes(cell, threads); bytes > memory)
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
