#include "sweep/spec.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <type_traits>

#include "catalog/arguments.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "record/json.hpp"
#include "record/result.hpp"
#include "sweep/ranges.hpp"

namespace attnspan {
namespace {

constexpr std::size_t most_values = 1000;
/// 2^53 - 1: up to it, and not beyond, whole numbers and doubles are one to one.
constexpr double largest_exact_integer = 9007199254740991.0;

std::string shown(const Json& value) {
  const std::string text = to_line(value);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

/// Whole numbers without a decimal point, as a person would write them in a spec.
Json number_to_json(double number) {
  if (number == std::floor(number) && std::abs(number) <= largest_exact_integer)
    return static_cast<std::int64_t>(number);
  return number;
}

template <class T>
std::string bound(double value) {
  if constexpr (std::is_integral_v<T>) return std::to_string(static_cast<std::int64_t>(value));
  return shortest(value);
}

const SettingKey& setting_key(const std::string& name, const std::string& where) {
  const auto& keys = setting_keys();
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const SettingKey& k) { return k.name == name; });
  if (key != keys.end()) return *key;
  std::vector<std::string> allowed{"task"};
  for (const SettingKey& known : keys) allowed.push_back(known.name);
  unknown_name("key in " + where, name, allowed);
}

[[noreturn]] void refuse(const SettingKey& key, const std::string& wanted, const Json& value) {
  throw InputError(key.name + " must be " + wanted + ", not " + shown(value) + ".");
}

/// Whole numbers and others: a number within the key's bounds.
template <class T>
void read(const SettingKey& key, const Json& value, T& number) {
  constexpr bool whole = std::is_integral_v<T>;
  const char* const wanted = whole ? "a whole number" : "a number";
  if (!value.is_number()) refuse(key, wanted, value);
  const auto found = value.get<double>();
  if (whole && found != std::floor(found)) refuse(key, wanted, value);
  if (!(found >= key.minimum && found <= key.maximum))
    refuse(key, "from " + bound<T>(key.minimum) + " to " + bound<T>(key.maximum), value);
  number = static_cast<T>(found);
}

void read(const SettingKey& key, const Json& value, bool& truth) {
  if (!value.is_boolean()) refuse(key, "true or false", value);
  truth = value.get<bool>();
}

void read(const SettingKey& key, const Json& value, std::string& name) {
  if (!value.is_string()) refuse(key, "a name", value);
  name = key.canonical(value.get<std::string>());
}

std::vector<Json> as_list(const SettingKey& key, const Json& value) {
  if (!value.is_array()) return {value};
  if (value.empty() && !key.may_be_empty)
    throw InputError(key.name + " must have at least one value.");
  if (value.size() > most_values)
    throw InputError(key.name + " has more than " + std::to_string(most_values) + " values.");
  return {value.begin(), value.end()};
}

template <class T>
void refuse_repeated(const SettingKey& key, const std::vector<T>& list) {
  std::set<T> seen;
  for (const T& item : list)
    if (!seen.insert(item).second)
      throw InputError(key.name + " has the value " + shown(Json(item)) + " twice.");
}

template <class T>
void read(const SettingKey& key, const Json& value, std::vector<T>& list) {
  list.clear();
  for (const Json& one : as_list(key, value)) {
    T item{};
    read(key, one, item);
    list.push_back(std::move(item));
  }
  // The span of a model is read along growing multiples.
  if constexpr (std::is_arithmetic_v<T>) std::sort(list.begin(), list.end());
  refuse_repeated(key, list);
}

/// Puts every key of `values` but "task" into `grid`; an unknown key is refused.
void assign_all(Grid& grid, const Json& values, const std::string& where) {
  for (const auto& item : values.items())
    if (item.key() != "task") grid.assign(setting_key(item.key(), where), item.value());
}

std::string canonical_axis(const std::string& name) {
  std::vector<std::string> axes;
  for (const SettingKey& key : setting_keys()) {
    if (!key.is_axis()) continue;
    if (key.name == name) return name;
    axes.push_back(key.name);
  }
  unknown_name("axis in tune", name, axes);
}

// The places of members, for the table of keys.
template <class T>
SettingKey::Member<ModelConfig, T> in_model(T ModelConfig::*member) {
  return {&Settings::model, member};
}
template <class T>
SettingKey::Member<TrainingOptions, T> in_training(T TrainingOptions::*member) {
  return {&Settings::training, member};
}
template <class T>
SettingKey::Member<TestingOptions, T> in_testing(T TestingOptions::*member) {
  return {&Settings::testing, member};
}
template <class T>
SettingKey::Member<Design, T> in_design(T Design::*member) {
  return {&Settings::design, member};
}

/// One entry of the task list, before its settings are worked out.
struct TaskEntryText {
  NamedTask task;
  Json overrides = Json::object();
};

std::vector<TaskEntryText> read_tasks(const Json& spec) {
  std::vector<TaskEntryText> tasks;
  if (!spec.contains("task")) return tasks;
  const Json& value = spec["task"];
  const Json values = value.is_array() ? value : Json::array({value});
  if (values.size() > most_values)
    throw InputError("task has more than " + std::to_string(most_values) + " values.");
  for (const Json& entry : values) {
    const bool has_overrides = entry.is_object();
    if (has_overrides && !entry.contains("task"))
      throw InputError("an entry of the task list lacks the key \"task\": " + shown(entry) + ".");
    const Json& name = has_overrides ? entry["task"] : entry;
    if (!name.is_string())
      throw InputError(
          "task must be a name, or a list of names and of objects with a \"task\" each, not " +
          shown(value) + ".");
    tasks.push_back({make_task(name.get<std::string>()), has_overrides ? entry : Json::object()});
  }
  return tasks;
}

std::string family(const NamedTask& task) { return task.label.substr(0, task.label.find(':')); }

/// What flags pick of a spec's tasks: each with all that the spec says of it or, if nothing, with
/// what it says first of its kind.
std::vector<TaskEntryText> pick_tasks(const std::vector<TaskEntryText>& tasks,
                                      const std::vector<TaskEntryText>& picked) {
  std::vector<TaskEntryText> chosen;
  for (const TaskEntryText& pick : picked) {
    const std::size_t before = chosen.size();
    for (const TaskEntryText& entry : tasks)
      if (entry.task.resolved == pick.task.resolved) chosen.push_back(entry);
    if (chosen.size() > before) continue;
    const auto kin = std::find_if(tasks.begin(), tasks.end(), [&](const TaskEntryText& entry) {
      const bool draws = pick.task.task->stored(Stream::train).empty();
      return draws && family(entry.task) == family(pick.task);
    });
    chosen.push_back({pick.task, kin == tasks.end() ? Json::object() : kin->overrides});
  }
  return chosen;
}

/// A task that has its samples is trained at their length and tested at the lengths that there are,
/// unless `is_named` says that a key was given, which must then fit.
void fit_to_samples(TaskPlan& plan, const std::function<bool(const std::string&)>& is_named) {
  const Task& task = *plan.task.task;
  const std::vector<StoredSamples> training = task.stored(Stream::train);
  if (training.empty()) return;
  const std::int64_t length = training.front().length;
  Grid& grid = plan.grid;
  if (!is_named("train_length")) grid.assign(setting_key("train_length", ""), length);
  if (grid.axes.contains("train_length") || grid.settings.training.train_length != length)
    throw InputError(plan.task.label + " is trained at length " + std::to_string(length) +
                     ", which its files say; leave --train-length out.");
  for (const auto& [name, stream] : {std::pair{"multiples", Stream::test},
                                     std::pair{"validation_multiples", Stream::validation}}) {
    if (is_named(name)) continue;
    Json multiples = Json::array();
    for (const StoredSamples& stored : task.stored(stream))
      multiples.push_back(
          number_to_json(static_cast<double>(stored.length) / static_cast<double>(length)));
    grid.assign(setting_key(name, ""), multiples);
  }
}

bool same_values(const Grid& a, const Grid& b) {
  const auto& keys = setting_keys();
  return std::all_of(keys.begin(), keys.end(),
                     [&](const SettingKey& key) { return a.to_json(key) == b.to_json(key); });
}

}  // namespace

std::string SettingKey::flag() const {
  std::string text = "--" + name;
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

Json SettingKey::value(const Settings& settings) const {
  return std::visit([&](const auto& place) { return Json(place.of(settings)); }, member);
}

void SettingKey::assign(Settings& settings, const Json& value) const {
  std::visit([&](const auto& place) { read(*this, value, place.of(settings)); }, member);
}

std::vector<Json> Grid::values(const SettingKey& key) const {
  const auto several = axes.find(key.name);
  return several == axes.end() ? std::vector<Json>{key.value(settings)} : several->second;
}

Json Grid::to_json(const SettingKey& key) const {
  const auto several = axes.find(key.name);
  return several == axes.end() ? key.value(settings) : Json(several->second);
}

void Grid::assign(const SettingKey& key, const Json& value) {
  if (!key.is_axis()) return key.assign(settings, value);
  std::vector<Json> assigned;
  for (const Json& one : as_list(key, value)) {
    key.assign(settings, one);
    assigned.push_back(key.value(settings));
  }
  refuse_repeated(key, assigned);
  key.assign(settings, assigned.front());
  if (assigned.size() > 1)
    axes[key.name] = std::move(assigned);
  else
    axes.erase(key.name);
}

const std::vector<SettingKey>& setting_keys() {
  using enum SettingKey::Group;
  static const std::vector<SettingKey> keys{
      {.name = "attention",
       .group = axes,
       .help = "attention variants; see attnspan list attention",
       .member = in_model(&ModelConfig::attention),
       .canonical = canonical_attention},
      {.name = "position",
       .group = axes,
       .help = "position encodings; see attnspan list positions",
       .member = in_model(&ModelConfig::position),
       .canonical = canonical_position},
      {.name = "train_length",
       .group = axes,
       .help = "longest training length, in the task's own measure",
       .member = in_training(&TrainingOptions::train_length),
       .minimum = 1,
       .maximum = 1e6},
      {.name = "learning_rates",
       .group = axes,
       .help = "peak learning rates",
       .member = in_training(&TrainingOptions::learning_rate),
       .minimum = 1e-12,
       .maximum = 10},
      {.name = "seeds",
       .group = design,
       .help = "number of replicates: initialisation and training samples differ",
       .member = in_design(&Design::seeds),
       .minimum = 1,
       .maximum = 1000},
      {.name = "tune",
       .group = design,
       .help = "axes of which the value that is best on validation samples is reported; [] or "
               "none: a row for every value",
       .member = in_design(&Design::tune),
       .may_be_empty = true,
       .canonical = canonical_axis},
      {.name = "multiples",
       .group = testing,
       .help = "test lengths, as multiples of the training length",
       .member = in_testing(&TestingOptions::multiples),
       .minimum = 1e-3,
       .maximum = 1e7},
      {.name = "test_samples",
       .group = testing,
       .help = "test samples at each length",
       .member = in_testing(&TestingOptions::test_samples),
       .minimum = 1,
       .maximum = 1e7},
      {.name = "test_tokens",
       .group = testing,
       .help =
           "budget of test tokens at each length: fewer samples where they are long; 0: no limit",
       .member = in_testing(&TestingOptions::test_tokens),
       .minimum = 0,
       .maximum = 1e15},
      {.name = "validation_samples",
       .group = testing,
       .help = "validation samples at each length",
       .member = in_training(&TrainingOptions::validation_samples),
       .minimum = 1,
       .maximum = 1e7},
      {.name = "validation_multiples",
       .group = testing,
       .help = "validation lengths, as multiples: what is tuned is chosen by their mean",
       .member = in_testing(&TestingOptions::validation_multiples),
       .minimum = 1e-3,
       .maximum = 1e7},
      {.name = "test_at",
       .group = testing,
       .help = "steps of training after which to test too",
       .member = in_testing(&TestingOptions::test_at),
       .minimum = 1,
       .maximum = 1e9,
       .may_be_empty = true},
      {.name = "give_up",
       .group = testing,
       .help = "leave out lengths beyond two in a row without a right sample",
       .member = in_testing(&TestingOptions::give_up)},
      {.name = "layers",
       .group = model,
       .help = "transformer layers",
       .member = in_model(&ModelConfig::layers),
       .minimum = 1,
       .maximum = most_layers},
      {.name = "heads",
       .group = model,
       .help = "attention heads",
       .member = in_model(&ModelConfig::heads),
       .minimum = 1,
       .maximum = most_heads},
      {.name = "d_model",
       .group = model,
       .help = "width of the model",
       .member = in_model(&ModelConfig::d_model),
       .minimum = 1,
       .maximum = largest_d_model},
      {.name = "d_ff",
       .group = model,
       .help = "width of the feed-forward layer",
       .member = in_model(&ModelConfig::d_ff),
       .minimum = 1,
       .maximum = largest_d_ff},
      {.name = "head_width",
       .group = model,
       .help = "width of a head; 0: d_model shared among the heads",
       .member = in_model(&ModelConfig::head_width),
       .minimum = 0,
       .maximum = largest_d_model},
      {.name = "query_key_norm",
       .group = model,
       .help = "norm the queries and keys of every head: true or false",
       .member = in_model(&ModelConfig::query_key_norm)},
      {.name = "output_norm",
       .group = model,
       .help = "norm what the heads attend to: true or false",
       .member = in_model(&ModelConfig::output_norm)},
      {.name = "output_gate",
       .group = model,
       .help = "multiply it by a sigmoid of the layer's input, for each head or element, or none",
       .member = in_model(&ModelConfig::output_gate),
       .canonical = canonical_output_gate},
      {.name = "feed_forward",
       .group = model,
       .help = "gelu, or swiglu, which has half as many weights more",
       .member = in_model(&ModelConfig::feed_forward),
       .canonical = canonical_feed_forward},
      {.name = "dropout",
       .group = model,
       .help = "share of the embedding and of what layers add that is dropped in training",
       .member = in_model(&ModelConfig::dropout),
       .minimum = 0,
       .maximum = 0.99},
      {.name = "steps",
       .group = training,
       .help = "training steps",
       .member = in_training(&TrainingOptions::steps),
       .minimum = 1,
       .maximum = 1e9},
      {.name = "batch_size",
       .group = training,
       .help = "samples in a training step",
       .member = in_training(&TrainingOptions::batch_size),
       .minimum = 1,
       .maximum = 65536},
      {.name = "min_train_length",
       .group = training,
       .help = "shortest training length; 0: a quarter of the longest, or what the task needs",
       .member = in_training(&TrainingOptions::min_train_length),
       .minimum = 0,
       .maximum = 1e6},
      {.name = "warmup_steps",
       .group = training,
       .help = "steps until the learning rate is at its peak",
       .member = in_training(&TrainingOptions::warmup_steps),
       .minimum = 0,
       .maximum = 1e9},
      {.name = "final_learning_rate",
       .group = training,
       .help = "share of the learning rate left after the cosine",
       .member = in_training(&TrainingOptions::final_learning_rate),
       .minimum = 0,
       .maximum = 1},
      {.name = "weight_decay",
       .group = training,
       .help = "decoupled weight decay of AdamW",
       .member = in_training(&TrainingOptions::weight_decay),
       .minimum = 0,
       .maximum = 10},
      {.name = "beta1",
       .group = training,
       .help = "AdamW's average of gradients",
       .member = in_training(&TrainingOptions::beta1),
       .minimum = 0,
       .maximum = 0.999999},
      {.name = "beta2",
       .group = training,
       .help = "AdamW's average of squared gradients",
       .member = in_training(&TrainingOptions::beta2),
       .minimum = 0,
       .maximum = 0.999999},
      {.name = "clip",
       .group = training,
       .help = "largest norm of a gradient",
       .member = in_training(&TrainingOptions::clip),
       .minimum = 1e-9,
       .maximum = 1e9},
      {.name = "weight_average",
       .group = training,
       .help = "decay of the moving average that is tested; 0: no average",
       .member = in_training(&TrainingOptions::weight_average),
       .minimum = 0,
       .maximum = 0.999999},
      {.name = "early_stop",
       .group = training,
       .help = "stop once two validations in a row are perfect: true or false",
       .member = in_training(&TrainingOptions::early_stop)},
      {.name = "validate_every",
       .group = training,
       .help = "steps between these validations",
       .member = in_training(&TrainingOptions::validate_every),
       .minimum = 1,
       .maximum = 1e9},
      {.name = "seed",
       .group = training,
       .help = "seed of the whole sweep",
       .member = in_training(&TrainingOptions::seed),
       .minimum = 0,
       .maximum = largest_exact_integer},
  };
  return keys;
}

SweepSpec resolve_spec(const Json& spec, const Json& flags) {
  if (!spec.is_object()) throw InputError("a sweep spec is a JSON object: {\"task\": ...}.");
  SweepSpec resolved;
  assign_all(resolved.grid, spec, "the spec");
  assign_all(resolved.grid, flags, "the flags");

  std::vector<TaskEntryText> tasks = read_tasks(spec);
  if (const std::vector<TaskEntryText> picked = read_tasks(flags); !picked.empty())
    tasks = pick_tasks(tasks, picked);
  if (tasks.empty())
    throw InputError("a sweep needs a task: name one with --task or in the spec, or a preset.");

  for (const TaskEntryText& entry : tasks) {
    TaskPlan plan{entry.task, resolved.grid};
    assign_all(plan.grid, entry.overrides, "the spec's task \"" + entry.task.label + "\"");
    assign_all(plan.grid, flags, "the flags");
    fit_to_samples(plan, [&](const std::string& name) {
      return spec.contains(name) || entry.overrides.contains(name) || flags.contains(name);
    });
    if (plan.grid.settings.design.tune != resolved.grid.settings.design.tune)
      throw InputError("tune holds for the whole sweep, not for the task \"" + entry.task.label +
                       "\" alone.");
    for (const TaskPlan& other : resolved.tasks)
      if (other.task.resolved == entry.task.resolved && same_values(other.grid, plan.grid))
        throw InputError("task has the value \"" + entry.task.label + "\" twice.");
    resolved.tasks.push_back(std::move(plan));
  }
  say_once(resolved);
  return resolved;
}

void say_once(SweepSpec& spec) {
  for (const SettingKey& key : setting_keys()) {
    const Json value = spec.tasks.front().grid.to_json(key);
    if (std::all_of(spec.tasks.begin(), spec.tasks.end(),
                    [&](const TaskPlan& plan) { return plan.grid.to_json(key) == value; }))
      spec.grid.assign(key, value);
  }
}

Json parse_spec(std::string_view text, const std::string& source) {
  return spec_of(parse_json(text, source, true), source);
}

bool is_result(const Json& json) { return json.is_object() && json.contains("schema_version"); }

Json spec_of(const Json& json, const std::string& source) {
  if (!json.is_object())
    throw InputError(source + " is not a sweep spec, which is a JSON object: {\"task\": ...}.");
  if (!is_result(json)) return json;
  check_schema_version(json["schema_version"], source);
  if (!json.contains("spec") || !json["spec"].is_object())
    throw InputError(source + " is a results file without the spec it came from.");
  return json["spec"];
}

Json to_json(const SweepSpec& spec) {
  Json json = Json::object();
  Json& tasks = json["task"] = Json::array();
  for (const TaskPlan& plan : spec.tasks) {
    Json entry{{"task", plan.task.resolved}};
    for (const SettingKey& key : setting_keys())
      if (Json value = plan.grid.to_json(key); value != spec.grid.to_json(key))
        entry[key.name] = std::move(value);
    tasks.push_back(entry.size() == 1 ? entry["task"] : entry);
  }
  for (const SettingKey& key : setting_keys()) json[key.name] = spec.grid.to_json(key);
  return json;
}

Json flag_to_json(const SettingKey& key, const std::vector<std::string>& values) {
  const std::string text = join(values, ",");
  if (key.may_be_empty && text == "none") return Json::array();
  return std::visit(
      [&]<class Part, class T>(const SettingKey::Member<Part, T>&) -> Json {
        if constexpr (std::is_same_v<T, std::string> ||
                      std::is_same_v<T, std::vector<std::string>>) {
          return split_parts(text);
        } else {
          Json list = Json::array();
          if constexpr (std::is_same_v<T, bool>) {
            for (const std::string& word : split(text, ',')) {
              if (word != "true" && word != "false")
                throw InputError(key.flag() + " must be true or false, not '" + word.substr(0, 80) +
                                 "'.");
              list.push_back(word == "true");
            }
          } else {
            for (const double number : parse_numbers(text, key.flag()))
              list.push_back(number_to_json(number));
          }
          constexpr bool is_list = !std::is_arithmetic_v<T>;
          if (!is_list && !key.is_axis() && list.size() > 1)
            throw InputError(key.flag() + " takes one value.");
          return list.size() == 1 ? list[0] : list;
        }
      },
      key.member);
}

std::string describe_difference(const Json& there, const Json& here) {
  // Three are enough to see what happened; every key counts for the total.
  std::vector<std::string> differences;
  std::size_t more = 0;
  std::set<std::string> names;
  for (const Json* spec : {&there, &here})
    for (const auto& [name, value] : spec->items()) {
      const Json a = there.value(name, Json()), b = here.value(name, Json());
      if (a == b || !names.insert(name).second) continue;
      if (differences.size() < 3)
        differences.push_back(name + " is " + shown(a) + " there and " + shown(b) + " here");
      else
        ++more;
    }
  return join(differences) +
         (more > 0 ? ", and " + std::to_string(more) + " more keys differ" : "");
}

}  // namespace attnspan
