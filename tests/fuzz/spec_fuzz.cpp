// Specs: the text of a file, to settings, to the resolved spec and its cells.
#include <set>
#include <string>

#include "fuzz/fuzz.hpp"
#include "sweep/cell.hpp"
#include "sweep/spec.hpp"

using namespace attnspan;

namespace {

/// Large sweeps are refused or fine, but take long to write out.
bool is_small(const SweepSpec& spec) {
  double cells = 0;
  for (const TaskPlan& plan : spec.tasks) {
    auto combinations = static_cast<double>(plan.grid.settings.design.seeds);
    for (const auto& [name, values] : plan.grid.axes)
      combinations *= static_cast<double>(values.size());
    cells += combinations;
  }
  return cells <= 32;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    const SweepSpec spec = resolve_spec(parse_spec(fuzz::text(data, size), "spec"), Json::object());
    const Json resolved = to_json(spec);
    fuzz::require(to_json(fuzz::no_refusal(
                      [&] { return resolve_spec(resolved, Json::object()); })) == resolved,
                  "a resolved spec means itself");
    fuzz::require(describe_difference(resolved, resolved).empty(),
                  "a spec differs not from itself");
    if (!is_small(spec)) return;
    std::set<std::string> keys, identities;
    for (const Cell& cell : expand(spec)) {
      fuzz::require(cost(cell).flops() > 0, "a cell costs something");
      fuzz::require(peak_bytes(cell, 2) > 0, "a cell takes memory");
      fuzz::require(keys.insert(cell.key).second, "a key names one cell");
      fuzz::require(identities.insert(identity(cell)).second, "a cell comes once");
    }
  });
  return 0;
}
