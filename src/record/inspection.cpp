#include "record/inspection.hpp"

#include <cmath>

#include "record/row.hpp"

namespace attnspan {

Json to_json(const Inspection& inspection) {
  Json maps = Json::array();
  const auto bins = static_cast<std::size_t>(inspection.bins);
  for (const HeatMap& map : inspection.maps) {
    Json rows = Json::array();
    for (std::size_t i = 0; i < bins; ++i) {
      Json row = Json::array();
      for (std::size_t j = 0; j < bins; ++j)
        row.push_back(finite_or_null(std::round(map.weight[i * bins + j] * 1e6) / 1e6));
      rows.push_back(std::move(row));
    }
    maps.push_back(std::move(rows));
  }
  return {{"key", inspection.key},
          {"task", inspection.task},
          {"length", inspection.length},
          {"multiple", inspection.multiple},
          {"sample", inspection.sample},
          {"tokens", inspection.tokens},
          {"answers", inspection.answers},
          {"right", inspection.right},
          {"reference_samples", inspection.reference_samples},
          {"attention", to_json(inspection.figures)},
          {"bins", inspection.bins},
          {"maps", std::move(maps)}};
}

}  // namespace attnspan
