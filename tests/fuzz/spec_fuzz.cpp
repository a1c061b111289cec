// Specs: the text of a file, to settings, to the resolved spec and its cells.
#include "fuzz/fuzz.hpp"
#include "sweep/cell.hpp"
#include "sweep/spec.hpp"

using namespace attnspan;

namespace {

/// Large sweeps are refused or fine, but take long to write out.
bool is_small(const SweepSpec& spec) {
  double cells = 0;
  for (const TaskPlan& plan : spec.tasks) {
    const Settings& settings = plan.settings;
    cells += static_cast<double>(settings.attention.size() * settings.position.size() *
                                 settings.train_length.size() * settings.learning_rates.size()) *
             static_cast<double>(settings.seeds);
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
    for (const Cell& cell : expand(spec)) {
      fuzz::require(cost(cell).flops() > 0, "a cell costs something");
      fuzz::require(peak_bytes(cell, 2) > 0, "a cell takes memory");
    }
  });
  return 0;
}
