#include "ops/product.hpp"

#include <Eigen/Core>
#include <cassert>

namespace attnspan {
namespace {

template <class Real>
using Dense = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Real>
auto map(MatrixView<const Real> m) {
  return Eigen::Map<const Dense<Real>, 0, Eigen::OuterStride<>>(m.data, m.rows, m.cols,
                                                                Eigen::OuterStride<>(m.stride));
}

template <class Real>
auto map(MatrixView<Real> m) {
  return Eigen::Map<Dense<Real>, 0, Eigen::OuterStride<>>(m.data, m.rows, m.cols,
                                                          Eigen::OuterStride<>(m.stride));
}

template <class A, class B, class C>
void assign(const A& a, const B& b, C c, Into into) {
  assert(a.rows() == c.rows() && b.cols() == c.cols() && a.cols() == b.rows());
  if (c.rows() == 0 || c.cols() == 0) return;
  if (into == Into::add)
    c.noalias() += a * b;
  else
    c.noalias() = a * b;
}

}  // namespace

template <class Real>
void product(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  assign(map(a), map(b), map(c), into);
}

template <class Real>
void product_bt(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  assign(map(a), map(b).transpose(), map(c), into);
}

template <class Real>
void product_at(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into) {
  assign(map(a).transpose(), map(b), map(c), into);
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
