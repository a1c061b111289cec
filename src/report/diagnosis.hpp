#pragma once

#include <span>
#include <string>
#include <vector>

#include "record/row.hpp"
#include "record/statistics.hpp"

namespace attnspan {

/// One number for what all the heads of a model do at a length.
struct DiagnosisMeasure {
  std::string name;   ///< "entropy"
  std::string title;  ///< "Entropy over log n, most even head"
  bool is_share = false;
  double (*of)(const AttentionFigures& figures) = nullptr;  ///< NaN where there is nothing to say
};

/// Entropy first, and support second.
std::span<const DiagnosisMeasure> diagnosis_measures();

/// A measure at one multiple of the training length, over the seeds that have a diagnosis there.
struct DiagnosisPoint {
  double multiple = 0;
  Spread value;
};

/// By increasing multiple; none where no cell has a diagnosis.
std::vector<DiagnosisPoint> diagnosis_curve(std::span<const CellRow* const> cells,
                                            const DiagnosisMeasure& measure);

}  // namespace attnspan
