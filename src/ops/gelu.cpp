#include "ops/gelu.hpp"

#include "ops/exponential.hpp"

namespace attnspan {
namespace {

constexpr double twice_root_two_over_pi = 1.5957691216057308;
constexpr double cubic = 0.044715;

/// sigmoid of the inner polynomial: gelu(x) = x gate(x).
template <class Real>
inline Real gate(Real x) {
  const Real inner = Real(twice_root_two_over_pi) * x * (1 + Real(cubic) * x * x);
  return 1 / (1 + exponential(-inner));
}

}  // namespace

template <class Real>
void gelu(const Real* x, Index count, Real* y) {
#pragma omp simd
  for (Index i = 0; i < count; ++i) y[i] = x[i] * gate(x[i]);
}

template <class Real>
void gelu_backward(const Real* x, Index count, Real* dy) {
#pragma omp simd
  for (Index i = 0; i < count; ++i) {
    const Real open = gate(x[i]);
    const Real slope = Real(twice_root_two_over_pi) * (1 + 3 * Real(cubic) * x[i] * x[i]);
    dy[i] *= open * (1 + x[i] * (1 - open) * slope);
  }
}

template void gelu(const float*, Index, float*);
template void gelu(const double*, Index, double*);
template void gelu_backward(const float*, Index, float*);
template void gelu_backward(const double*, Index, double*);

}  // namespace attnspan
