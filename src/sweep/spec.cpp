#include "sweep/spec.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <type_traits>

#include "attention/variant.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "position/position.hpp"
#include "report/json.hpp"
#include "sweep/ranges.hpp"

namespace attnspan {
namespace {

constexpr std::size_t most_values = 1000;
constexpr double largest_exact_integer = 9007199254740992.0;  // 2^53: doubles hold every one below

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};

template <class T>
using MemberType = std::remove_reference_t<decltype(std::declval<Settings&>().*std::declval<T>())>;

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

[[noreturn]] void refuse(const SettingKey& key, const std::string& wanted, const Json& value) {
  throw InputError(key.name + " must be " + wanted + ", not " + shown(value) + ".");
}

void read(const SettingKey& key, const Json& value, double& number) {
  if (!value.is_number()) refuse(key, "a number", value);
  number = value.get<double>();
  if (!(number >= key.minimum && number <= key.maximum))
    refuse(key, "from " + shortest(key.minimum) + " to " + shortest(key.maximum), value);
}

void read(const SettingKey& key, const Json& value, std::int64_t& number) {
  const double as_double = value.is_number() ? value.get<double>() : 0.5;
  if (as_double != std::floor(as_double)) refuse(key, "a whole number", value);
  if (!(as_double >= key.minimum && as_double <= key.maximum))
    refuse(key,
           "from " + std::to_string(static_cast<std::int64_t>(key.minimum)) + " to " +
               std::to_string(static_cast<std::int64_t>(key.maximum)),
           value);
  number = static_cast<std::int64_t>(as_double);
}

void read(const SettingKey& key, const Json& value, bool& truth) {
  if (!value.is_boolean()) refuse(key, "true or false", value);
  truth = value.get<bool>();
}

void read(const SettingKey& key, const Json& value, std::string& name) {
  if (!value.is_string()) refuse(key, "a name", value);
  name = value.get<std::string>();
}

template <class T>
void read(const SettingKey& key, const Json& value, std::vector<T>& list) {
  const Json values = value.is_array() ? value : Json::array({value});
  if (values.empty()) throw InputError(key.name + " must have at least one value.");
  if (values.size() > most_values)
    throw InputError(key.name + " has more than " + std::to_string(most_values) + " values.");
  list.clear();
  for (const Json& one : values) {
    T item{};
    read(key, one, item);
    list.push_back(item);
  }
}

template <class T>
void refuse_repeated(const SettingKey& key, const std::vector<T>& list) {
  std::set<T> seen;
  for (const T& item : list)
    if (!seen.insert(item).second)
      throw InputError(key.name + " has the value " + shown(Json(item)) + " twice.");
}

void assign(Settings& settings, const SettingKey& key, const Json& value) {
  std::visit(
      [&](auto member) {
        auto& target = settings.*member;
        read(key, value, target);
        if constexpr (IsList<MemberType<decltype(member)>>::value) {
          if (key.name == "attention")
            for (auto& name : settings.attention) name = attention_variant(name).name;
          if (key.name == "position")
            for (const auto& name : settings.position) position_entry(name);
          // The span of a model is read along growing multiples.
          if (key.name == "multiples")
            std::sort(settings.multiples.begin(), settings.multiples.end());
          refuse_repeated(key, target);
        }
      },
      key.member);
}

/// Puts every key of `values` but "task" into `settings`; an unknown key is refused.
void assign_all(Settings& settings, const Json& values, const std::string& where) {
  for (const auto& item : values.items()) {
    const std::string& name = item.key();
    if (name == "task") continue;
    const auto& keys = setting_keys();
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const SettingKey& k) { return k.name == name; });
    if (key == keys.end()) {
      std::vector<std::string> allowed{"task"};
      for (const SettingKey& known : keys) allowed.push_back(known.name);
      unknown_name("key in " + where, name, allowed);
    }
    assign(settings, *key, item.value());
  }
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

}  // namespace

std::string SettingKey::flag() const {
  std::string text = "--" + name;
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const std::vector<SettingKey>& setting_keys() {
  static const std::vector<SettingKey> keys{
      {"attention", "Axes", "attention variants; see attnspan list attention",
       &Settings::attention},
      {"position", "Axes", "position encodings; see attnspan list positions", &Settings::position},
      {"train_length", "Axes", "longest training length, in the task's own measure",
       &Settings::train_length, 1, 1e6},
      {"learning_rates", "Axes", "peak learning rates; the best on validation samples is reported",
       &Settings::learning_rates, 1e-12, 10},
      {"seeds", "Axes", "number of replicates: initialisation and training samples differ",
       &Settings::seeds, 1, 1000},
      {"multiples", "Testing", "test lengths, as multiples of the training length",
       &Settings::multiples, 1e-3, 1e7},
      {"test_samples", "Testing", "test samples at each length", &Settings::test_samples, 1, 1e7},
      {"test_tokens", "Testing",
       "budget of test tokens at each length: fewer samples where they are long; 0: no limit",
       &Settings::test_tokens, 0, 1e15},
      {"validation_samples", "Testing", "validation samples, at the training length",
       &Settings::validation_samples, 1, 1e7},
      {"layers", "Model", "transformer layers", &Settings::layers, 1, 256},
      {"heads", "Model", "attention heads", &Settings::heads, 1, 1024},
      {"d_model", "Model", "width of the model", &Settings::d_model, 1, 65536},
      {"d_ff", "Model", "width of the feed-forward layer", &Settings::d_ff, 1, 1 << 20},
      {"steps", "Training", "training steps", &Settings::steps, 1, 1e9},
      {"batch_size", "Training", "samples in a training step", &Settings::batch_size, 1, 65536},
      {"min_train_length", "Training",
       "shortest training length; 0: a quarter of the longest, or what the task needs",
       &Settings::min_train_length, 0, 1e6},
      {"warmup_steps", "Training", "steps until the learning rate is at its peak",
       &Settings::warmup_steps, 0, 1e9},
      {"final_learning_rate", "Training", "share of the learning rate left after the cosine",
       &Settings::final_learning_rate, 0, 1},
      {"weight_decay", "Training", "decoupled weight decay of AdamW", &Settings::weight_decay, 0,
       10},
      {"beta1", "Training", "AdamW's average of gradients", &Settings::beta1, 0, 0.999999},
      {"beta2", "Training", "AdamW's average of squared gradients", &Settings::beta2, 0, 0.999999},
      {"clip", "Training", "largest norm of a gradient", &Settings::clip, 1e-9, 1e9},
      {"weight_average", "Training", "decay of the moving average that is tested; 0: no average",
       &Settings::weight_average, 0, 0.999999},
      {"early_stop", "Training", "stop once two validations in a row are perfect: true or false",
       &Settings::early_stop},
      {"validate_every", "Training", "steps between these validations", &Settings::validate_every,
       1, 1e9},
      {"seed", "Training", "seed of the whole sweep", &Settings::seed, 0, largest_exact_integer},
  };
  return keys;
}

Json setting_value(const Settings& settings, const SettingKey& key) {
  return std::visit([&](auto member) { return Json(settings.*member); }, key.member);
}

SweepSpec resolve_spec(const Json& spec, const Json& flags) {
  if (!spec.is_object()) throw InputError("a sweep spec is a JSON object: {\"task\": ...}.");
  SweepSpec resolved;
  assign_all(resolved.settings, spec, "the spec");
  assign_all(resolved.settings, flags, "the flags");

  std::vector<TaskEntryText> tasks = read_tasks(spec);
  if (std::vector<TaskEntryText> asked = read_tasks(flags); !asked.empty()) {
    // A task picked by a flag keeps what the spec says of it, or of its kind.
    for (TaskEntryText& pick : asked) {
      const auto same = [&](auto property) {
        return std::find_if(tasks.begin(), tasks.end(), [&](const TaskEntryText& entry) {
          return property(entry.task) == property(pick.task);
        });
      };
      auto entry = same([](const NamedTask& task) { return task.resolved; });
      if (entry == tasks.end()) entry = same(family);
      if (entry != tasks.end()) pick.overrides = entry->overrides;
    }
    tasks = std::move(asked);
  }
  if (tasks.empty())
    throw InputError("a sweep needs a task: name one with --task or in the spec, or a preset.");

  for (const TaskEntryText& entry : tasks) {
    for (const TaskPlan& plan : resolved.tasks)
      if (plan.task.resolved == entry.task.resolved)
        throw InputError("task has the value \"" + entry.task.label + "\" twice.");
    TaskPlan plan{entry.task, resolved.settings};
    assign_all(plan.settings, entry.overrides, "the spec's task \"" + entry.task.label + "\"");
    assign_all(plan.settings, flags, "the flags");
    resolved.tasks.push_back(std::move(plan));
  }
  return resolved;
}

Json parse_spec(std::string_view text, const std::string& source) {
  Json json = parse_json(text, source, true);
  if (!json.is_object())
    throw InputError(source + " is not a sweep spec, which is a JSON object: {\"task\": ...}.");
  if (!json.contains("schema_version")) return json;
  if (json["schema_version"] != 1)
    throw InputError(source + " has schema_version " + shown(json["schema_version"]) +
                     "; this attnspan reads version 1.");
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
      if (Json value = setting_value(plan.settings, key);
          value != setting_value(spec.settings, key))
        entry[key.name] = std::move(value);
    tasks.push_back(entry.size() == 1 ? entry["task"] : entry);
  }
  for (const SettingKey& key : setting_keys()) json[key.name] = setting_value(spec.settings, key);
  return json;
}

Json flag_to_json(const SettingKey& key, const std::vector<std::string>& values) {
  const auto one = [&]() -> const std::string& {
    if (values.size() != 1) throw InputError(key.flag() + " takes one value.");
    return values.front();
  };
  const std::string text = join(values, ",");
  return std::visit(
      [&](auto member) -> Json {
        using T = MemberType<decltype(member)>;
        if constexpr (std::is_same_v<T, bool>) {
          if (one() != "true" && one() != "false")
            throw InputError(key.flag() + " must be true or false, not '" + one().substr(0, 80) +
                             "'.");
          return one() == "true";
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return split(text, ',');
        } else if constexpr (IsList<T>::value) {
          Json numbers = Json::array();
          for (const double number : parse_numbers(text, key.flag()))
            numbers.push_back(number_to_json(number));
          return numbers;
        } else {
          return number_to_json(parse_number(one(), key.flag()));
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
