#pragma once

#include <cstdint>

#include "ops/matrix.hpp"

namespace attnspan {

/// Sum over rows of -log softmax(logits)[target], in nats; logits: rows x classes, targets: rows.
/// Replaces the logits by their gradient, softmax(logits) - onehot(target).
template <class Real>
double cross_entropy(MatrixView<Real> logits, const std::int32_t* targets);

/// Index of the largest of count numbers, the first where several are; -1 when one is not finite.
template <class Real>
Index argmax(const Real* values, Index count);

}  // namespace attnspan
