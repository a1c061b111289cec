#include "ops/product.hpp"

#include <cassert>

#include "ops/engine.hpp"

namespace attnspan {
namespace {

template <class Real>
void multiply(MatrixView<const Real> a, bool a_transposed, MatrixView<const Real> b,
              bool b_transposed, MatrixView<Real> c, Into into) {
  const Index depth = a_transposed ? a.rows : a.cols;
  assert((a_transposed ? a.cols : a.rows) == c.rows && (b_transposed ? b.rows : b.cols) == c.cols &&
         (b_transposed ? b.cols : b.rows) == depth);
  static thread_local AlignedVector<Real> scratch;
  const Kernels<Real>& all = kernels<Real>();
  all.product(a, a_transposed, b, b_transposed, c, into == Into::add,
              reserve(scratch, all.product_scratch(depth), 1).data);
}

}  // namespace

template <class Real>
void product(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  multiply<Real>(a, false, b, false, c, into);
}

template <class Real>
void product_bt(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  multiply<Real>(a, false, b, true, c, into);
}

template <class Real>
void product_at(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  multiply<Real>(a, true, b, false, c, into);
}

template void product(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into);
template void product(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>, Into);
template void product_bt(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into);
template void product_bt(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>,
                         Into);
template void product_at(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into);
template void product_at(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>,
                         Into);

}  // namespace attnspan
