#pragma once

#include "ops/engine.hpp"

namespace attnspan {

/// y = gelu(x) in its tanh form, x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) (Hendrycks and Gimpel
/// 2016); count numbers.
template <class Real>
void gelu(const Real* x, Index count, Real* y) {
  kernels<Real>().gelu(x, count, y);
}

/// Replaces dy by dy gelu'(x).
template <class Real>
void gelu_backward(const Real* x, Index count, Real* dy) {
  kernels<Real>().gelu_backward(x, count, dy);
}

}  // namespace attnspan
