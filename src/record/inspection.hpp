#pragma once

#include <string>
#include <vector>

#include "record/attention_figures.hpp"

namespace attnspan {

/// Where one head looks in one sample, in bins of places.
struct HeatMap {
  /// bins x bins, row by row: the weight that rows of a bin have on the keys of a bin together,
  /// mean over the rows that were looked at; NaN where none was, 0 where keys come after rows.
  std::vector<double> weight;
};

/// What a saved model's attention does with one sample.
struct Inspection {
  std::string key;          ///< of the model's cell
  std::string task;         ///< of the sample
  std::int64_t length = 0;  ///< in the task's measure
  double multiple = 0;      ///< of the training length
  std::int64_t sample = 0;  ///< which of the test samples
  std::int64_t tokens = 0;  ///< that the model sees
  std::int64_t answers = 0,
               right = 0;              ///< answer tokens of the sample, and of these the right ones
  std::int64_t reference_samples = 0;  ///< of the training length, for the drift
  AttentionFigures figures;
  std::int64_t bins = 0;
  std::vector<HeatMap> maps;  ///< one a head, as in figures
};

Json to_json(const Inspection& inspection);

}  // namespace attnspan
