#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/config.hpp"
#include "record/json.hpp"
#include "task/task.hpp"
#include "train/options.hpp"

namespace attnspan {

/// Where and on how many samples a trained cell is tested.
struct TestingOptions {
  std::vector<double> multiples{1, 2, 4, 8, 16};  ///< of the training length
  std::int64_t test_samples = 128;                ///< at each length
  std::int64_t test_tokens = 0;                   ///< budget of tokens at each length; 0: no limit
  std::vector<double> validation_multiples{1};
  std::vector<std::int64_t> test_at;  ///< steps of training after which to test too
  bool give_up = false;  ///< leave out lengths beyond two in a row without a right sample
};

/// Which replicates there are, and what is made of the axes.
struct Design {
  std::int64_t seeds = 1;
  std::vector<std::string> tune{"learning_rates"};  ///< axes of which the best value is reported
};

/// Everything that can be set for a cell, with one value each. `setting_keys` describes the
/// members; defaults are the members' own.
struct Settings {
  ModelConfig model;
  TrainingOptions training;
  TestingOptions testing;
  Design design;
};

/// One key of a spec, which is a flag of `attnspan sweep` too: its name, what it may hold, and
/// where it is kept.
struct SettingKey {
  /// Headings of the help, and what another value means: another model for `axes`, `model` and
  /// `training`, which make up the identity of a cell and may have several values each; other
  /// tests of the same model; more or fewer replicates, or another report.
  enum class Group { axes, design, testing, model, training };
  template <class Part, class T>
  struct Member {
    Part Settings::*part;
    T Part::*member;
    T& of(Settings& settings) const { return settings.*part.*member; }
    const T& of(const Settings& settings) const { return settings.*part.*member; }
  };
  using AnyMember =
      std::variant<Member<ModelConfig, std::string>, Member<ModelConfig, std::int64_t>,
                   Member<ModelConfig, bool>, Member<ModelConfig, double>,
                   Member<TrainingOptions, std::int64_t>, Member<TrainingOptions, std::uint64_t>,
                   Member<TrainingOptions, double>, Member<TrainingOptions, bool>,
                   Member<TestingOptions, std::int64_t>, Member<TestingOptions, bool>,
                   Member<TestingOptions, std::vector<double>>,
                   Member<TestingOptions, std::vector<std::int64_t>>, Member<Design, std::int64_t>,
                   Member<Design, std::vector<std::string>>>;

  std::string name;  ///< in a spec; the flag is --name with dashes
  Group group;
  std::string help;
  AnyMember member;
  double minimum = 0, maximum = 0;  ///< of each number, inclusive
  bool may_be_empty = false;        ///< a list that may have no value
  /// The one spelling of a name; throws InputError when there is no such thing.
  std::string (*canonical)(const std::string& name) = nullptr;

  std::string flag() const;  ///< "--train-length"
  bool is_axis() const { return group != Group::testing && group != Group::design; }

  Json value(const Settings& settings) const;
  /// Throws InputError unless the key may hold this one value.
  void assign(Settings& settings, const Json& value) const;
};
const std::vector<SettingKey>& setting_keys();

/// Settings of which some have several values: one cell for each combination.
struct Grid {
  Settings settings;                              ///< an axis stands at its first value
  std::map<std::string, std::vector<Json>> axes;  ///< by key, those with more than one value

  std::vector<Json> values(const SettingKey& key) const;

  /// What a spec holds under this key: a value, or a list of them.
  Json to_json(const SettingKey& key) const;

  /// The other way round. Throws InputError when the key may not hold it.
  void assign(const SettingKey& key, const Json& value);
};

/// A task with the settings that hold for it.
struct TaskPlan {
  NamedTask task;
  Grid grid;
};

/// A sweep: tasks, and the settings that hold where a task says nothing else.
struct SweepSpec {
  Grid grid;
  std::vector<TaskPlan> tasks;
};

/// Reads a spec. Its keys are those of `setting_keys` and "task": a name, or a list of names and of
/// objects {"task": name, and keys that hold for this entry only}; a task may have several entries
/// that differ. Lists of one may be written as the value alone. `flags` has the same keys (tasks as
/// names) and goes before the spec and its tasks. Throws InputError on an unknown key (naming the
/// nearest), a wrong type, a value out of bounds or named twice, an unknown task, attention or
/// position.
SweepSpec resolve_spec(const Json& spec, const Json& flags);

/// Says once, in the sweep's own grid, what holds for every task, so that sweeps of the same
/// entries are one text however they were written or grew. resolve_spec does so.
void say_once(SweepSpec& spec);

/// The text of a spec file or results file: JSON with comments. Throws InputError; `source` is
/// named in messages.
Json parse_spec(std::string_view text, const std::string& source);

/// Whether this is a results file, told by its "schema_version", and not a spec itself.
bool is_result(const Json& json);

/// The spec that a results file holds, or else the spec itself. Throws InputError.
Json spec_of(const Json& json, const std::string& source);

/// The resolved spec: complete, canonical, and again a spec with the same meaning.
Json to_json(const SweepSpec& spec);

/// What the values of one flag, as typed, put into `flags` of resolve_spec.
Json flag_to_json(const SettingKey& key, const std::vector<std::string>& values);

/// In what two resolved specs differ: "steps is 100 there and 200 here, ..."; empty when in
/// nothing.
std::string describe_difference(const Json& there, const Json& here);

}  // namespace attnspan
