#pragma once

#include <vector>

#include "ops/matrix.hpp"

namespace attnspan {

/// What the forward pass keeps for the backward pass; reused from step to step.
template <class Real>
struct FeedForwardTrace {
  AlignedVector<Real> normed, inverse_rms, hidden, activated;
  AlignedVector<Real> gate, opened;  ///< before and after the sigmoid
};

/// Memory of one thread.
template <class Real>
struct FeedForwardScratch {
  AlignedVector<Real> dhidden, dgate, dnormed;
};

/// x + W2 gelu(W1 norm(x)), or gated x + W2 (silu(W3 norm(x)) W1 norm(x)) (SwiGLU; Shazeer 2020,
/// arXiv 2002.05202), which has half as many weights more. Immutable and thread-safe.
template <class Real>
class FeedForward {
 public:
  /// layers: of the whole model, whose depth decides how small the output starts.
  FeedForward(Index d_model, Index d_ff, Index layers, bool gated = false);

  /// Learned tensors in the order of `parameters` pointers.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }

  /// input, output: rows x d_model; they may be the same.
  void forward(const Real* parameters, ConstMatrixView<Real> input, MatrixView<Real> output,
               FeedForwardTrace<Real>& trace) const;

  /// Turns dstream from the gradient of the output into that of the input, and adds to dparameters.
  void backward(const Real* parameters, ConstMatrixView<Real> input,
                const FeedForwardTrace<Real>& trace, MatrixView<Real> dstream, Real* dparameters,
                FeedForwardScratch<Real>& scratch) const;

 private:
  Index d_model_, d_ff_;
  bool gated_;
  std::vector<TensorSpec> tensors_;
  Index norm_ = 0, up_ = 0, down_ = 0, gate_ = 0;
};

}  // namespace attnspan
