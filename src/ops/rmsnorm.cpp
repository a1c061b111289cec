#include "ops/rmsnorm.hpp"

#include <cmath>
#include <limits>

namespace attnspan {

template <class Real>
void rmsnorm(ConstMatrixView<Real> x, const Real* gain, MatrixView<Real> y, Real* inverse_rms) {
  constexpr Real epsilon = Real(1e-6);
  const Index d = x.cols;
  for (Index i = 0; i < x.rows; ++i) {
    const Real* in = x.row(i);
    Real* out = y.row(i);
    Real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (Index j = 0; j < d; ++j) squares += in[j] * in[j];
    // Of squares that overflow the scale would be 0 and the row would look healthy: a model gone
    // bad has to show.
    const Real scale = std::isfinite(squares)
                           ? Real(1) / std::sqrt(squares / static_cast<Real>(d) + epsilon)
                           : std::numeric_limits<Real>::quiet_NaN();
    inverse_rms[i] = scale;
#pragma omp simd
    for (Index j = 0; j < d; ++j) out[j] = in[j] * scale * gain[j];
  }
}

template <class Real>
void rmsnorm_backward(ConstMatrixView<Real> x, const Real* gain, const Real* inverse_rms,
                      ConstMatrixView<Real> dy, MatrixView<Real> dx, Real* dgain) {
  const Index d = x.cols;
  for (Index i = 0; i < x.rows; ++i) {
    const Real* in = x.row(i);
    const Real* out = dy.row(i);
    Real* din = dx.row(i);
    const Real scale = inverse_rms[i];
    // With h = x scale: dx = scale (g dy - h mean(h g dy)).
    Real inner = 0;
#pragma omp simd reduction(+ : inner)
    for (Index j = 0; j < d; ++j) {
      const Real share = out[j] * in[j] * scale;
      dgain[j] += share;
      inner += share * gain[j];
    }
    const Real pull = inner * scale * scale / static_cast<Real>(d);
#pragma omp simd
    for (Index j = 0; j < d; ++j) din[j] += out[j] * gain[j] * scale - in[j] * pull;
  }
}

template void rmsnorm(ConstMatrixView<float>, const float*, MatrixView<float>, float*);
template void rmsnorm(ConstMatrixView<double>, const double*, MatrixView<double>, double*);
template void rmsnorm_backward(ConstMatrixView<float>, const float*, const float*,
                               ConstMatrixView<float>, MatrixView<float>, float*);
template void rmsnorm_backward(ConstMatrixView<double>, const double*, const double*,
                               ConstMatrixView<double>, MatrixView<double>, double*);

}  // namespace attnspan
