#include "report/result.hpp"

#include <map>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "report/fields.hpp"
#include "report/table.hpp"

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

}  // namespace

Json to_json(const Result& result) {
  Json json = {{"schema_version", schema_version},
               {"context", result.context},
               {"spec", result.spec},
               {"cells", Json::array()},
               {"selection_rule", selection_rule()},
               {"table", Json::array()}};
  for (const CellRow& row : result.cells) json["cells"].push_back(to_json(row));
  for (const TableRow& row : build_table(result.cells)) json["table"].push_back(to_json(row));
  return json;
}

Result result_from_json(const Json& json, const std::string& origin) {
  Fields fields(json, origin);
  if (!fields.has("schema_version"))
    throw InputError(origin + " is not an attnspan results file: it has no schema_version");
  // Any version may come, and the message about it must not be one about bounds.
  if (const Json& version = fields.any("schema_version"); version != schema_version)
    throw InputError(origin + " has schema version " + to_line(version).substr(0, 80) +
                     "; this attnspan reads version " + std::to_string(schema_version));

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
    result.cells.push_back(row_from_json(cell, path));
    const std::string& key = result.cells.back().key;
    if (!keys.insert(key).second) throw InputError(path + " repeats the cell '" + key + "'");
  }
  fields.text("selection_rule");
  fields.array("table");
  fields.finish();
  return result;
}

Result load_result(const std::string& path) {
  return result_from_json(parse_json(read_file(path, largest_file), path, false), path);
}

std::vector<CellRow> merge_cells(const std::vector<Result>& results) {
  std::vector<CellRow> cells;
  std::map<std::string, std::pair<const Result*, Json>> first_by_key;
  for (const Result& result : results) {
    for (const CellRow& row : result.cells) {
      Json outcome = without_timings(to_json(row));
      const auto [first, is_new] = first_by_key.try_emplace(row.key, &result, outcome);
      if (is_new)
        cells.push_back(row);
      else if (first->second.second != outcome)
        throw InputError("the cell '" + row.key + "' has one outcome in " +
                         first->second.first->origin + " and another in " + result.origin +
                         "; leave one of them out");
    }
  }
  return cells;
}

Json without_timings(Json json) {
  if (json.is_object()) json.erase("context");
  drop_timings(json);
  return json;
}

}  // namespace attnspan
