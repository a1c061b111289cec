#include "record/result.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "record/fields.hpp"

namespace attnspan {
namespace {

/// Some ten thousand cells with all their evaluations.
constexpr std::size_t largest_file = std::size_t{128} << 20;

void drop_timings(Json& json) {
  if (json.is_object()) {
    json.erase("seconds");
    json.erase("tokens_per_second");
  }
  if (json.is_structured())
    for (Json& item : json) drop_timings(item);
}

/// "name:a=1,b=2" as {"name", "a=1", "b=2"}.
std::vector<std::string> task_parts(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  std::vector<std::string> parts{text.substr(0, colon)};
  if (colon < text.size())
    for (std::string& part : split(text.substr(colon + 1), ',')) parts.push_back(std::move(part));
  return parts;
}

/// The tasks of a version 1 spec by the labels of the rows. There a task is its resolved text, and
/// a label its name with what is not a default; labels that say more choose first, since "recall"
/// alone would fit every recall.
std::map<std::string, const Json*> tasks_by_label_1(const Result& result) {
  std::vector<std::vector<std::string>> labels;
  for (const CellRow& row : result.cells) labels.push_back(task_parts(row.task));
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::map<std::string, const Json*> by_label;
  const auto list = result.spec.find("task");
  if (list == result.spec.end() || !list->is_array()) return by_label;
  std::set<const Json*> taken;
  for (const std::vector<std::string>& label : labels)
    for (const Json& task : *list) {
      const Json text = task.is_object() ? task.value("task", Json()) : task;
      if (!text.is_string() || taken.contains(&task)) continue;
      const std::vector<std::string> known = task_parts(text.get<std::string>());
      const bool fits = known.front() == label.front() &&
                        std::all_of(label.begin(), label.end(), [&](const std::string& part) {
                          return std::find(known.begin(), known.end(), part) != known.end();
                        });
      if (!fits) continue;
      std::string name = label.front();
      if (label.size() > 1) name += ":" + join({label.begin() + 1, label.end()}, ",");
      by_label[name] = &task;
      taken.insert(&task);
      break;
    }
  return by_label;
}

/// Keys of a version 1 spec that training does not depend on, or that a row says by itself.
constexpr std::array not_settings{"attention", "position",  "train_length", "learning_rates",
                                  "seeds",     "multiples", "test_samples", "test_tokens"};

/// Rows of version 1 have no settings: those that the spec says, and before them what it says of
/// the row's task.
void add_settings_1(Result& result) {
  const auto tasks = tasks_by_label_1(result);
  for (CellRow& row : result.cells) {
    const auto add = [&](const Json& keys) {
      for (const auto& item : keys.items())
        if (item.value().is_primitive() &&
            std::find(not_settings.begin(), not_settings.end(), item.key()) == not_settings.end())
          row.settings[item.key()] = item.value();
    };
    add(result.spec);
    row.settings.erase("task");
    if (const auto task = tasks.find(row.task); task != tasks.end()) {
      if (task->second->is_object())
        add(*task->second);
      else
        row.settings["task"] = *task->second;
    }
    check_settings(row.settings, result.origin + ".spec");
  }
}

}  // namespace

Json to_json(const Result& result) {
  Json json = {{"schema_version", schema_version},
               {"context", result.context},
               {"spec", result.spec},
               {"cells", Json::array()}};
  for (const CellRow& row : result.cells) json["cells"].push_back(to_json(row));
  return json;
}

int check_schema_version(const Json& version, const std::string& origin) {
  // Anything may come, and the message about it must not be one about bounds.
  if (version != 1 && version != schema_version)
    throw InputError(origin + " has schema version " + to_line(version).substr(0, 80) +
                     "; this attnspan reads versions 1 to " + std::to_string(schema_version));
  return version.get<int>();
}

Result result_from_json(const Json& json, const std::string& origin) {
  Fields fields(json, origin);
  if (!fields.has("schema_version"))
    throw InputError(origin + " is not an attnspan results file: it has no schema_version");
  const int version = check_schema_version(fields.any("schema_version"), origin);

  Result result;
  result.origin = origin;
  for (const auto& [name, value] :
       {std::pair{"context", &result.context}, std::pair{"spec", &result.spec}}) {
    *value = fields.any(name);
    if (!value->is_object()) fields.fail(name, "must be an object");
  }
  std::set<std::string> keys;
  for (const Json& cell : fields.array("cells")) {
    const std::string path = fields.path("cells") + "[" + std::to_string(keys.size()) + "]";
    result.cells.push_back(row_from_json(cell, path, version));
    const std::string& key = result.cells.back().key;
    if (!keys.insert(key).second) throw InputError(path + " repeats the cell '" + key + "'");
  }
  if (version == 1) add_settings_1(result);
  fields.text("selection_rule");
  const Json& table = fields.array("table");
  if (version == schema_version) result.table = table;
  fields.finish();
  return result;
}

Result load_result(const std::string& path) {
  return result_from_json(parse_json(read_file(path, largest_file), path, false), path);
}

std::vector<CellRow> merge_cells(const std::vector<Result>& results) {
  std::vector<CellRow> cells;
  struct First {
    const Result* result;
    Json outcome;
    std::size_t place;
  };
  std::map<std::string, First> first_by_identity;
  for (const Result& result : results) {
    for (const CellRow& row : result.cells) {
      Json outcome = without_timings(to_json(without_diagnosis(row)));
      // Cells of other settings are other cells, whatever their keys.
      const std::string identity =
          row.key + '\n' + to_line(outcome["settings"]) + std::to_string(row.numerics);
      const auto [found, is_new] =
          first_by_identity.try_emplace(identity, First{&result, outcome, cells.size()});
      const First& first = found->second;
      if (is_new)
        cells.push_back(row);
      else if (first.outcome != outcome)
        throw InputError("the cell '" + row.key + "' has one outcome in " + first.result->origin +
                         " and another in " + result.origin + "; leave one of them out");
      else if (has_diagnosis(row) && !has_diagnosis(cells[first.place]))
        cells[first.place] = row;
    }
  }
  return cells;
}

Json without_timings(Json json) {
  if (json.is_object()) json.erase("context");
  drop_timings(json);
  return json;
}

CellRow without_diagnosis(CellRow row) {
  for (Evaluation& evaluation : row.evaluations) {
    evaluation.errors.reset();
    evaluation.diagnosis.reset();
  }
  return row;
}

bool has_diagnosis(const CellRow& row) {
  return std::any_of(
      row.evaluations.begin(), row.evaluations.end(),
      [](const Evaluation& evaluation) { return evaluation.errors || evaluation.diagnosis; });
}

}  // namespace attnspan
