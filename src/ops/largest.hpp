#pragma once

#include "ops/engine.hpp"

namespace attnspan {

/// The largest of count numbers, -infinity of none.
template <class Real>
Real largest_of(const Real* values, Index count) {
  return kernels<Real>().largest(values, count);
}

/// The largest of those that stand in a row at all.
template <class Real>
Real largest_present(const Real* values, const Real* copies, Index count) {
  return kernels<Real>().largest_present(values, copies, count);
}

}  // namespace attnspan
