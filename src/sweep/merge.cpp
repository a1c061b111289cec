#include "sweep/merge.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/names.hpp"
#include "sweep/cell.hpp"
#include "sweep/spec.hpp"

namespace attnspan {

Result merge(const std::vector<Result>& results) {
  if (results.empty()) throw InputError("there is no result to merge.");
  const Result& first = results.front();
  const SweepSpec spec = resolve_spec(first.spec, Json::object());
  const Json text = to_json(spec);
  for (const Result& result : results)
    if (const Json other = to_json(resolve_spec(result.spec, Json::object())); other != text)
      throw InputError(first.origin + " and " + result.origin +
                       " are of different sweeps: " + describe_difference(text, other) + ".");

  const CellRow* any = nullptr;
  for (const Result& result : results)
    for (const CellRow& row : result.cells) {
      if (any == nullptr) any = &row;
      if (row.numerics != any->numerics)
        throw InputError(row.key + " of " + result.origin + " was computed with numerics " +
                         std::to_string(row.numerics) + " and others with " +
                         std::to_string(any->numerics) +
                         "; their figures do not belong in one result.");
    }

  std::map<std::string, CellRow> by_identity;
  for (CellRow& row : merge_cells(results)) by_identity.emplace(identity(row), std::move(row));
  Result merged;
  merged.context = first.context;
  merged.spec = text;
  std::vector<std::string> missing;
  for (const Cell& cell : expand(spec)) {
    const auto row = by_identity.find(identity(cell));
    if (row == by_identity.end()) {
      missing.push_back(cell.key);
      continue;
    }
    merged.cells.push_back(std::move(row->second));
    by_identity.erase(row);
  }
  if (!missing.empty()) {
    constexpr std::size_t most_named = 5;
    const std::size_t count = missing.size();
    if (count > most_named) missing.resize(most_named);
    throw InputError(
        std::to_string(count) + (count == 1 ? " cell is" : " cells are") +
        " missing: " + join(missing) +
        (count > most_named ? ", and " + std::to_string(count - most_named) + " more" : "") +
        "; add the results that have them.");
  }
  if (!by_identity.empty())
    throw InputError(first.origin + " or a result given with it has the cell " +
                     by_identity.begin()->second.key + " with settings that its spec has not.");
  return merged;
}

}  // namespace attnspan
