#include "sweep/growth.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace attnspan {
namespace {

bool is_among(const Json& value, const std::vector<Json>& values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool holds_all(const std::vector<Json>& values, const std::vector<Json>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const Json& value) { return is_among(value, values); });
}

/// Whether grids may differ in this key without one of them being a mistake.
bool may_differ(const SettingKey& key, const Grid& there, const Grid& here) {
  return !key.is_axis() || key.group == SettingKey::Group::axes || there.axes.contains(key.name) ||
         here.axes.contains(key.name);
}

/// The keys in which one of the grids must be mistaken, with the values of both.
std::pair<Json, Json> forbidden_differences(const Grid& there, const Grid& here) {
  std::pair<Json, Json> values{Json::object(), Json::object()};
  for (const SettingKey& key : setting_keys()) {
    if (may_differ(key, there, here) || there.to_json(key) == here.to_json(key)) continue;
    values.first[key.name] = there.to_json(key);
    values.second[key.name] = here.to_json(key);
  }
  return values;
}

/// Whether a key's values are a set to which more can be added: an axis, a list of tests, the seeds
/// 0 .. n-1; and not, say, a number of samples.
bool is_set(const SettingKey& key) {
  return key.is_axis() || key.name == "seeds" || key.value(Settings{}).is_array();
}

/// The members of that set. Precondition: is_set(key).
std::vector<Json> members(const SettingKey& key, const Grid& grid) {
  if (key.is_axis()) return grid.values(key);
  const Json value = key.value(grid.settings);
  if (value.is_array()) return {value.begin(), value.end()};
  std::vector<Json> seeds;
  for (std::int64_t seed = 0; seed < value.get<std::int64_t>(); ++seed) seeds.push_back(seed);
  return seeds;
}

/// Whether this key leaves out nothing that the other grid asks for.
bool covers(const SettingKey& key, const Grid& grid, const Grid& other) {
  if (key.name == "tune") return true;  // asks for nothing
  if (is_set(key)) return holds_all(members(key, grid), members(key, other));
  const Json have = key.value(grid.settings), wanted = key.value(other.settings);
  if (key.name == "test_tokens") return have == 0 || (wanted != 0 && have >= wanted);
  if (have.is_boolean()) return have == wanted || !have.get<bool>();  // give_up
  return have >= wanted;
}

bool covers(const Grid& grid, const Grid& other) {
  const auto& keys = setting_keys();
  return std::all_of(keys.begin(), keys.end(),
                     [&](const SettingKey& key) { return covers(key, grid, other); });
}

/// Widens `there` by what `here` has, where that names nothing else: where all but one key are the
/// same. False when it is not so.
bool widen(Grid& there, const Grid& here) {
  const SettingKey* differing = nullptr;
  for (const SettingKey& key : setting_keys()) {
    if (covers(key, there, here) && covers(key, here, there)) continue;
    if (differing != nullptr || !is_set(key)) return false;
    differing = &key;
  }
  if (differing == nullptr) return true;
  std::vector<Json> all = members(*differing, there);
  for (const Json& value : members(*differing, here))
    if (!is_among(value, all)) all.push_back(value);
  there.assign(*differing, differing->name == "seeds" ? Json(all.size()) : Json(all));
  return true;
}

void add(std::vector<TaskPlan>& plans, const TaskPlan& plan) {
  std::vector<TaskPlan*> same_task;
  for (TaskPlan& other : plans)
    if (other.task.resolved == plan.task.resolved) same_task.push_back(&other);
  for (const TaskPlan* other : same_task)
    if (covers(other->grid, plan.grid)) return;
  for (TaskPlan* other : same_task)
    if (covers(plan.grid, other->grid)) {
      *other = plan;
      return;
    }
  for (TaskPlan* other : same_task)
    if (widen(other->grid, plan.grid)) return;
  plans.push_back(plan);
}

}  // namespace

SweepSpec grow(const SweepSpec& there, const SweepSpec& here, bool add_others) {
  SweepSpec grown = there;
  for (const TaskPlan& plan : here.tasks) {
    // The entry that differs least tells what was meant.
    std::optional<std::pair<Json, Json>> differences;
    for (const TaskPlan& other : there.tasks) {
      if (other.task.resolved != plan.task.resolved) continue;
      auto these = forbidden_differences(other.grid, plan.grid);
      if (!differences || these.first.size() < differences->first.size())
        differences = std::move(these);
    }
    if (differences && !differences->first.empty() && !add_others)
      throw InputError("for " + plan.task.label + " " +
                       describe_difference(differences->first, differences->second));
    add(grown.tasks, plan);
  }
  // Tuning is what the newer one asks for.
  for (TaskPlan& plan : grown.tasks)
    plan.grid.settings.design.tune = here.grid.settings.design.tune;
  grown.grid.settings.design.tune = here.grid.settings.design.tune;
  say_once(grown);
  return grown;
}

}  // namespace attnspan
