#include "report/diagnosis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace attnspan {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// The largest or the mean over the heads that have the number.
template <double HeadFigures::*number>
double largest(const AttentionFigures& figures) {
  double found = nothing;
  for (const HeadFigures& head : figures.heads)
    if (std::isfinite(head.*number) && !(found >= head.*number)) found = head.*number;
  return found;
}

template <double HeadFigures::*number>
double mean(const AttentionFigures& figures) {
  double sum = 0, count = 0;
  for (const HeadFigures& head : figures.heads)
    if (std::isfinite(head.*number)) {
      sum += head.*number;
      ++count;
    }
  return count == 0 ? nothing : sum / count;
}

}  // namespace

std::span<const DiagnosisMeasure> diagnosis_measures() {
  static const std::array<DiagnosisMeasure, 7> measures{{
      {"entropy", "Entropy over log n, most even head", true, largest<&HeadFigures::entropy>},
      {"support", "Keys with a weight, mean over heads", false, mean<&HeadFigures::support>},
      {"support_share", "Share of keys with a weight, mean over heads", true,
       mean<&HeadFigures::support_share>},
      {"mean_entropy", "Entropy over log n, mean over heads", true, mean<&HeadFigures::entropy>},
      {"answer_weight", "Weight on the answer's tokens, best head", true,
       largest<&HeadFigures::answer_weight>},
      {"mean_drift", "Drift of the mean output, farthest head", false,
       largest<&HeadFigures::mean_drift>},
      {"score_range", "Range of scores, widest head", false, largest<&HeadFigures::score_range>},
  }};
  return measures;
}

std::vector<DiagnosisPoint> diagnosis_curve(std::span<const CellRow* const> cells,
                                            const DiagnosisMeasure& measure) {
  std::map<double, std::vector<double>> values;
  for (const CellRow* cell : cells)
    for (const Evaluation& evaluation : cell->evaluations)
      if (evaluation.diagnosis)
        if (const double value = measure.of(*evaluation.diagnosis); std::isfinite(value))
          values[evaluation.multiple].push_back(value);
  std::vector<DiagnosisPoint> curve;
  for (const auto& [multiple, of_seeds] : values) curve.push_back({multiple, spread(of_seeds)});
  return curve;
}

}  // namespace attnspan
