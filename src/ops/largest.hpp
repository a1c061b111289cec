#pragma once

#include <limits>

#include "ops/engine.hpp"

namespace attnspan {

/// The largest of count numbers, -infinity of none.
template <class Real>
Real largest_of(const Real* values, Index count) {
  return kernels<Real>().largest(values, count);
}

/// The largest of those that stand in a row at all.
template <class Real>
inline Real largest_present(const Real* values, const Real* copies, Index count) {
  Real largest = -std::numeric_limits<Real>::infinity();
  for (Index j = 0; j < count; ++j)
    if (copies[j] > 0 && values[j] > largest) largest = values[j];
  return largest;
}

}  // namespace attnspan
