#pragma once

#include <string>
#include <vector>

#include "record/json.hpp"
#include "record/row.hpp"

namespace attnspan {

/// One results file. Its table is worked out from the cells when written.
struct Result {
  Json context = Json::object();  ///< date, version, machine: whatever differs between equal runs
  Json spec = Json::object();     ///< the resolved sweep
  std::vector<CellRow> cells;
  std::string origin = "results";  ///< where it was read from, for messages; not written
  Json table;  ///< as the file had it, for whoever compares; not written, and of version 1 null
};

/// A results file without its table: schema_version, context, spec, cells.
Json to_json(const Result& result);

/// The version that a results file gives as its schema_version. Throws InputError that begins with
/// `origin` when it is not one that is read here.
int check_schema_version(const Json& version, const std::string& origin);

/// Reads a whole results file. The cells are checked strictly, context and spec must be objects,
/// and the table is kept as it is since it follows from the cells. Files of version 1 give rows
/// their settings from the spec, as far as it says. Throws InputError that begins with `origin` on
/// anything else, and on a file of a later schema version.
Result result_from_json(const Json& json, const std::string& origin);

/// Reads a results file. Throws FileError when it cannot be read, InputError when it holds no
/// result.
Result load_result(const std::string& path);

/// Every cell once, in order of first appearance. A cell that several results hold with the same
/// outcome, timings and diagnoses aside, is taken from the first that has a diagnosis, or else the
/// first; with different outcomes it throws InputError
/// that names it and both results.
std::vector<CellRow> merge_cells(const std::vector<Result>& results);

/// The JSON without what may differ between two equal runs: `context`, and fields named `seconds`
/// or `tokens_per_second` at any depth.
Json without_timings(Json json);

/// The row without what is recorded only where it is asked for: kinds of errors and diagnoses.
CellRow without_diagnosis(CellRow row);

/// Whether a test of it has one of these.
bool has_diagnosis(const CellRow& row);

}  // namespace attnspan
