#pragma once

#include <algorithm>

#include "ops/matrix.hpp"

namespace attnspan {

/// Adds to `taken`, one number for each key of a sequence, `sign` times what the row at this place
/// takes from the keys first .. last-1 for all later rows of all heads: the first head's scores
/// above 0, but nothing from the row's own key and from the sequence's first (Leviathan, Kalman and
/// Matias 2024). In double, so that rows can be taken back one by one.
template <class Real>
void take(Index place, const Real* first_head, Index first, Index last, double sign,
          double* taken) {
  last = std::min(last, place);
  for (Index j = std::max<Index>(first, 1); j < last; ++j)
    if (first_head[j] > 0) taken[j] += sign * static_cast<double>(first_head[j]);
}

/// Writes to dfirst_head, which is 0, the gradient of the first head's scores of such a row. later:
/// the sum of the gradients of the scores of later rows, by key.
template <class Real>
void take_backward(Index place, const Real* first_head, const double* later, Real* dfirst_head) {
  for (Index j = 1; j < place; ++j)
    if (first_head[j] > 0) dfirst_head[j] = static_cast<Real>(-later[j]);
}

/// What is left of the scores of `count` keys.
template <class Real>
void subtract_taken(const double* taken, Index count, Real* scores) {
  for (Index j = 0; j < count; ++j)
    scores[j] = static_cast<Real>(static_cast<double>(scores[j]) - taken[j]);
}

}  // namespace attnspan
