#pragma once

#include "position/position.hpp"

namespace attnspan {

/// scores[j] -= slope (query - keys[j]): the bias of ALiBi (Press, Smith and Lewis 2022).
template <class Real>
inline void add_linear_bias(Real slope, Position query, const Position* keys, Index count,
                            Real* scores) {
#pragma omp simd
  for (Index j = 0; j < count; ++j) scores[j] -= slope * static_cast<Real>(query - keys[j]);
}

}  // namespace attnspan
