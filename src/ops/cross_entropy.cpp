#include "ops/cross_entropy.hpp"

#include <cmath>

#include "core/mathematics.hpp"
#include "ops/engine.hpp"

namespace attnspan {

template <class Real>
double cross_entropy(MatrixView<Real> logits, const std::int32_t* targets) {
  const Kernels<Real>& all = kernels<Real>();
  double loss = 0;
  for (Index i = 0; i < logits.rows; ++i) {
    Real* row = logits.row(i);
    // What is not a number, or infinite, shows in the loss: at the target or in the sum. Only
    // -infinity elsewhere is as good as a very small number.
    const Real largest = all.largest(row, logits.cols);
    loss += static_cast<double>(largest - row[targets[i]]);
    const double sum = all.exponentials(row, logits.cols, largest, Real(1), row);
    loss += math::log(sum);
    all.scale(row, logits.cols, static_cast<Real>(1 / sum));
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
