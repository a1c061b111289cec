// JSON: the table as in a results file, and with each row how it compares with the baseline.
#include <cmath>

#include "report/format.hpp"

namespace attnspan::formats {
namespace {

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json comparison_json(const RowComparison& comparison) {
  const PairedTest& test = comparison.test;
  Json json = {{"baseline", comparison.baseline.empty() ? Json() : Json(comparison.baseline)},
               {"verdict", to_string(comparison.verdict)},
               {"reason", comparison.reason},
               {"seeds", test.seeds}};
  if (test.seeds == 0) return json;
  json["difference"] = test.difference;
  json["ci95"] = to_json(test.ci95);
  json["p"] = rounded(test.p);
  json["adjusted_p"] = rounded(comparison.adjusted_p);
  if (comparison.verdict == Verdict::not_distinguishable && test.difference != 0) {
    json["power"] = rounded(comparison.power);
    json["seeds_needed"] = comparison.seeds_needed ? Json(*comparison.seeds_needed) : Json();
  }
  json["differences"] = Json::array();
  for (const MultipleDifference& difference : comparison.differences)
    json["differences"].push_back({{"multiple", difference.multiple},
                                   {"difference", difference.value},
                                   {"ci95", to_json(difference.ci95)}});
  return json;
}

std::string render(const Comparison& comparison) {
  const Json baseline = comparison.baseline.empty() ? Json() : Json(comparison.baseline);
  Json json = {
      {"baseline", baseline}, {"selection_rule", selection_rule()}, {"table", Json::array()}};
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    Json row = to_json(comparison.rows[i]);
    const RowComparison& with_baseline = comparison.comparisons[i];
    if (!with_baseline.baseline.empty() || !with_baseline.reason.empty())
      row["comparison"] = comparison_json(with_baseline);
    json["table"].push_back(std::move(row));
  }
  return to_text(json);
}

}  // namespace

FormatEntry json() { return {"json", "everything, as JSON", render}; }

}  // namespace attnspan::formats
