#include "ops/product.hpp"

#include <algorithm>
#include <cassert>

#include "core/parallel.hpp"
#include "ops/engine.hpp"

namespace attnspan {
namespace {

template <class Real>
void multiply(MatrixView<const Real> a, bool a_transposed, MatrixView<const Real> b,
              bool b_transposed, MatrixView<Real> c, Into into, LastSeen last_seen) {
  const Index depth = a_transposed ? a.rows : a.cols;
  assert((a_transposed ? a.cols : a.rows) == c.rows && (b_transposed ? b.rows : b.cols) == c.cols &&
         (b_transposed ? b.cols : b.rows) == depth);
  // The queries are a's rows in all three products.
  assert(last_seen.empty() ||
         (std::ssize(last_seen) == a.rows && std::ranges::is_sorted(last_seen) &&
          last_seen.back() < (b_transposed ? c.cols : a.cols)));
  const auto multiply_columns = [&](Index begin, Index end) {
    static thread_local AlignedVector<Real> scratch;
    const Kernels<Real>& all = kernels<Real>();
    all.product(
        a, a_transposed,
        b_transposed ? b.middle_rows(begin, end - begin) : b.middle_cols(begin, end - begin),
        b_transposed, c.middle_cols(begin, end - begin), into == Into::add,
        last_seen.empty() ? nullptr : last_seen.data(),
        reserve(scratch, all.product_scratch(depth), 1).data);
  };
  constexpr Index part = 32;
  if (c.rows * depth * c.cols >= worth_sharing && last_seen.empty() && has_idle_threads())
    share_with_idle((c.cols + part - 1) / part,
                    [&](Index i) { multiply_columns(i * part, std::min(c.cols, (i + 1) * part)); });
  else
    multiply_columns(0, c.cols);
}

}  // namespace

template <class Real>
void product(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into,
             LastSeen last_seen) {
  multiply<Real>(a, false, b, false, c, into, last_seen);
}

template <class Real>
void product_bt(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into,
                LastSeen last_seen) {
  multiply<Real>(a, false, b, true, c, into, last_seen);
}

template <class Real>
void product_at(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c, Into into,
                LastSeen last_seen) {
  multiply<Real>(a, true, b, false, c, into, last_seen);
}

template void product(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into,
                      LastSeen);
template void product(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>, Into,
                      LastSeen);
template void product_bt(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into,
                         LastSeen);
template void product_bt(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>, Into,
                         LastSeen);
template void product_at(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>, Into,
                         LastSeen);
template void product_at(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>, Into,
                         LastSeen);

}  // namespace attnspan
