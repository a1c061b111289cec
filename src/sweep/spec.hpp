#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/json.hpp"
#include "task/task.hpp"

namespace attnspan {

/// Everything that can be set for the cells of a task. Each member is a key of the spec and a flag
/// of `attnspan sweep`; `setting_keys` describes them.
struct Settings {
  // Axes: one cell for each combination.
  std::vector<std::string> attention{"softmax"};
  std::vector<std::string> position{"nape"};
  std::vector<std::int64_t> train_length{16};
  std::vector<double> learning_rates{1e-3};
  std::int64_t seeds = 1;
  // Evaluation.
  std::vector<double> multiples{1, 2, 4, 8, 16};
  std::int64_t test_samples = 128;
  std::int64_t test_tokens = 0;
  std::int64_t validation_samples = 128;
  // Model.
  std::int64_t layers = 2;
  std::int64_t heads = 8;
  std::int64_t d_model = 64;
  std::int64_t d_ff = 128;
  // Training.
  std::int64_t steps = 1000;
  std::int64_t batch_size = 64;
  std::int64_t min_train_length = 0;
  std::int64_t warmup_steps = 100;
  double final_learning_rate = 0.05;
  double weight_decay = 0;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double clip = 1;
  double weight_average = 0.999;
  bool early_stop = true;
  std::int64_t validate_every = 250;
  std::int64_t seed = 0;
};

/// One key of a spec: its name, what it may hold, and where it is kept.
struct SettingKey {
  using Member =
      std::variant<std::int64_t Settings::*, double Settings::*, bool Settings::*,
                   std::vector<std::int64_t> Settings::*, std::vector<double> Settings::*,
                   std::vector<std::string> Settings::*>;

  std::string name;   ///< in a spec; the flag is --name with dashes
  std::string group;  ///< heading in the help
  std::string help;
  Member member;
  double minimum = 0, maximum = 0;  ///< of each number, inclusive

  std::string flag() const;  ///< "--train-length"
};
const std::vector<SettingKey>& setting_keys();

/// The value that a key has in these settings.
Json setting_value(const Settings& settings, const SettingKey& key);

/// A task with the settings that hold for it.
struct TaskPlan {
  NamedTask task;
  Settings settings;
};

/// A sweep: tasks, and the settings that hold where a task says nothing else.
struct SweepSpec {
  Settings settings;
  std::vector<TaskPlan> tasks;
};

/// Reads a spec. Its keys are those of `setting_keys` and "task": a name, or a list of names and of
/// objects {"task": name, and keys that hold for this task only}. Lists of one may be written as
/// the value alone. `flags` has the same keys (tasks as names) and goes before the spec and its
/// tasks. Throws InputError on an unknown key (naming the nearest), a wrong type, a value out of
/// bounds or named twice, an unknown task, attention or position.
SweepSpec resolve_spec(const Json& spec, const Json& flags);

/// The text of a spec file or results file: JSON with comments. A results file (told by its
/// "schema_version") gives the spec it holds. Throws InputError; `source` is named in messages.
Json parse_spec(std::string_view text, const std::string& source);

/// The resolved spec: complete, canonical, and again a spec with the same meaning.
Json to_json(const SweepSpec& spec);

/// What the values of one flag, as typed, put into `flags` of resolve_spec.
Json flag_to_json(const SettingKey& key, const std::vector<std::string>& values);

/// In what two resolved specs differ: "steps is 100 there and 200 here, ..."; empty when in
/// nothing.
std::string describe_difference(const Json& there, const Json& here);

}  // namespace attnspan
