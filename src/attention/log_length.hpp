#pragma once

#include "core/mathematics.hpp"
#include "position/layer_shape.hpp"

namespace attnspan {

/// The mean of log(i + 2) over the rows i of the longest training sample: a scale of one over it
/// times log(i + 2) is 1 on average there.
inline double mean_log_length(const LayerShape& shape) {
  double sum = 0;
  for (Index row = 0; row < shape.train_tokens; ++row)
    sum += math::log(static_cast<double>(row + 2));
  return sum / static_cast<double>(shape.train_tokens);
}

/// log log(i + 2), by which the exponents of log(i + 2) are multiplied; i: the row's place.
template <class Real>
Real log_log_length(Index place) {
  return math::log(math::log(static_cast<Real>(place + 2)));
}

}  // namespace attnspan
