#include "ops/cross_entropy.hpp"

#include <cmath>

#include "ops/exponential.hpp"

namespace attnspan {

template <class Real>
double cross_entropy(MatrixView<Real> logits, const std::int32_t* targets) {
  double loss = 0;
  for (Index i = 0; i < logits.rows; ++i) {
    Real* row = logits.row(i);
    Real largest = row[0];
#pragma omp simd reduction(max : largest)
    for (Index j = 0; j < logits.cols; ++j) largest = row[j] > largest ? row[j] : largest;
    loss += static_cast<double>(largest - row[targets[i]]);
    Real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index j = 0; j < logits.cols; ++j) {
      row[j] = exponential(row[j] - largest);
      sum += row[j];
    }
    loss += std::log(static_cast<double>(sum));
    const Real share = 1 / sum;
#pragma omp simd
    for (Index j = 0; j < logits.cols; ++j) row[j] *= share;
    row[targets[i]] -= 1;
  }
  return loss;
}

template <class Real>
Index argmax(const Real* values, Index count) {
  Index best = 0;
  for (Index j = 0; j < count; ++j) {
    if (!std::isfinite(values[j])) return -1;
    if (values[j] > values[best]) best = j;
  }
  return best;
}

template double cross_entropy(MatrixView<float>, const std::int32_t*);
template double cross_entropy(MatrixView<double>, const std::int32_t*);
template Index argmax(const float*, Index);
template Index argmax(const double*, Index);

}  // namespace attnspan
