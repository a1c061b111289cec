#pragma once

#include <string>
#include <vector>

#include "report/json.hpp"
#include "report/row.hpp"

namespace attnspan {

/// The version of the result schema that is written, and the only one that is read.
inline constexpr int schema_version = 1;

/// One results file. Its table is no part of this: it is worked out from the cells when written.
struct Result {
  Json context = Json::object();  ///< date, version, machine: whatever differs between equal runs
  Json spec = Json::object();     ///< the resolved sweep
  std::vector<CellRow> cells;
  std::string origin = "results";  ///< where it was read from, for messages; not written
};

/// The whole results file: schema_version, context, spec, cells, selection_rule, table.
Json to_json(const Result& result);

/// Reads it back. The cells are checked strictly, context and spec must be objects, and the table
/// is not read since it follows from the cells. Throws InputError that begins with `origin` on
/// anything else, and on a file of another schema version.
Result result_from_json(const Json& json, const std::string& origin);

/// Reads a results file. Throws FileError when it cannot be read, InputError when it holds no
/// result.
Result load_result(const std::string& path);

/// Every cell once, in order of first appearance. A cell that several results hold with the same
/// outcome, timings aside, is taken from the first; with different outcomes it throws InputError
/// that names it and both results.
std::vector<CellRow> merge_cells(const std::vector<Result>& results);

/// The JSON without what may differ between two equal runs: `context`, and fields named `seconds`
/// or `tokens_per_second` at any depth.
Json without_timings(Json json);

}  // namespace attnspan
