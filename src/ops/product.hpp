#pragma once

#include "ops/matrix.hpp"

namespace attnspan {

/// Whether a product replaces what the result held or is added to it.
enum class Into { replace, add };

/// c = a b or c += a b; a is m x k, b is k x n, c is m x n. Views may not overlap c. Each element
/// is one chain of fused multiply-adds in ascending k, begun at 0; c += a b adds it to c
/// afterwards.
template <class Real>
void product(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
             Into into = Into::replace);

/// The same with b given transposed (n x k).
template <class Real>
void product_bt(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
                Into into = Into::replace);

/// The same with a given transposed (k x m).
template <class Real>
void product_at(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
                Into into = Into::replace);

}  // namespace attnspan
