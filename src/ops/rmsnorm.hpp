#pragma once

#include "ops/engine.hpp"

namespace attnspan {

/// y_i = gain * x_i / sqrt(mean(x_i^2) + epsilon) for each row i (Zhang and Sennrich 2019).
/// x, y: rows x d; gain: d; inverse_rms: rows, kept for the backward pass.
template <class Real>
void rmsnorm(ConstMatrixView<Real> x, const Real* gain, MatrixView<Real> y, Real* inverse_rms) {
  kernels<Real>().rmsnorm(x, gain, y, inverse_rms);
}

/// Adds to dx and dgain the gradients that dy brings.
template <class Real>
void rmsnorm_backward(ConstMatrixView<Real> x, const Real* gain, const Real* inverse_rms,
                      ConstMatrixView<Real> dy, MatrixView<Real> dx, Real* dgain) {
  kernels<Real>().rmsnorm_backward(x, gain, inverse_rms, dy, dx, dgain);
}

}  // namespace attnspan
