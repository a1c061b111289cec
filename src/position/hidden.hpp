#pragma once

#include <limits>

#include "position/position.hpp"

namespace attnspan {

/// Hides the keys that are not among the last `size` tokens, the row's own among them.
template <class Real>
void hide_beyond(Position size, const BiasRow<Real>& row, Real* scores) {
  for (Index j = 0; j < row.count && row.query - row.keys[j] >= size; ++j)
    scores[j] = -std::numeric_limits<Real>::infinity();
}

/// No bias of the row's last key or one before it is above this.
template <class Real>
Real hidden_bound(Position size, const BiasRow<Real>& row) {
  return row.query - row.keys[row.count - 1] >= size ? -std::numeric_limits<Real>::infinity()
                                                     : Real(0);
}

}  // namespace attnspan
