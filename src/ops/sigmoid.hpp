#pragma once

#include "ops/engine.hpp"

namespace attnspan {

/// y = 1 / (1 + e^-x); count numbers. x and y may be the same.
template <class Real>
void sigmoid(const Real* x, Index count, Real* y) {
  for (Index j = 0; j < count; ++j) y[j] = -x[j];
  kernels<Real>().exponentials(y, count, Real(0), Real(1), y);
  for (Index j = 0; j < count; ++j) y[j] = 1 / (1 + y[j]);
}

}  // namespace attnspan
