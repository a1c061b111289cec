#pragma once

#include <span>

#include "ops/matrix.hpp"

namespace attnspan {

/// Whether a product replaces what the result held or is added to it.
enum class Into { replace, add };

/// Of a matrix with a row for each query and a column for each key, the last key that each query
/// sees; it sees those before too, and no fewer than the query before. Empty: each sees all keys.
/// How much is left out depends on the processor, so what would meet a 0 there has to be finite;
/// the sign of a sum that is 0 may differ.
using LastSeen = std::span<const Index>;

/// c = a b or c += a b; a is m x k, b is k x n, c is m x n. Views may not overlap c. Each element
/// is one chain of fused multiply-adds in ascending k, begun at 0; c += a b adds it to c
/// afterwards. With last_seen a is of queries by keys, and 0 at those not seen.
template <class Real>
void product(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
             Into into = Into::replace, LastSeen last_seen = {});

/// The same with b given transposed (n x k). With last_seen c is of queries by keys, and those
/// not seen are written or left as they were, as the processor has it.
template <class Real>
void product_bt(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
                Into into = Into::replace, LastSeen last_seen = {});

/// The same with a given transposed (k x m). With last_seen a is of queries by keys, and 0 at those
/// not seen.
template <class Real>
void product_at(ConstMatrixView<Real> a, ConstMatrixView<Real> b, MatrixView<Real> c,
                Into into = Into::replace, LastSeen last_seen = {});

}  // namespace attnspan
