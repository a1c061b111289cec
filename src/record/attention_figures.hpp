#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "record/fields.hpp"

namespace attnspan {

/// What one head does with samples of one length: means over rows, NaN where there is nothing to
/// say. Weights that do not sum to 1 are taken as they are, but for their entropy.
struct HeadFigures {
  std::int64_t layer = 0, head = 0;
  double entropy = 0;  ///< over the logarithm of the number of keys: 1 where all weigh the same
  double support = 0;  ///< keys with a weight other than 0
  double support_share = 0;  ///< of the keys that the row sees
  double answer_weight = 0;  ///< on the tokens that hold the answer; over rows that answer
  double lowest_score = 0, highest_score = 0;
  double score_range = 0;         ///< highest less lowest score of a row
  std::array<double, 5> scale{};  ///< of the scaler: 0, 5, 50, 95 and 100% of the rows are below
  double mean_drift = 0;    ///< how far the mean output lies from that at the training length, in
                            ///< standard deviations there
  double spread_drift = 0;  ///< standard deviation of the output over that at the training length
};

/// The attention of a model at one length.
struct AttentionFigures {
  std::int64_t samples = 0;        ///< that were looked at
  std::int64_t rows = 0;           ///< of them in all, each with every head
  std::vector<HeadFigures> heads;  ///< by layer, then head
};

/// Numbers to six digits: further ones say nothing.
Json to_json(const AttentionFigures& figures);
AttentionFigures read_attention_figures(Fields fields);

}  // namespace attnspan
