#pragma once

#include <string>
#include <vector>

#include "attention/head_training.hpp"

namespace attnspan {

/// What the forward pass keeps for the backward pass; reused from step to step.
template <class Real>
struct AttentionTrace {
  AlignedVector<Real> normed, inverse_rms, query_normed, query, key_value, attended;
  HeadTrace<Real> heads;
};

/// Memory of one thread.
template <class Real>
struct AttentionScratch {
  AlignedVector<Real> dattended, dquery, dkey_value, dnormed, dselected, dcontext;
  HeadScratch<Real> heads;
};

/// Attention of one layer: x + Wo heads(norm(x)), with queries, keys and values projected from
/// norm(x). Immutable and thread-safe.
template <class Real>
class Attention {
 public:
  /// layers: of the whole model, whose depth decides how small the output starts.
  Attention(const LayerShape& shape, Index layers, AttentionParts<Real> parts);

  /// Learned tensors in the order of `parameters` pointers.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }

  const Heads<Real>& heads() const { return heads_; }

  /// input: key rows x d_model; writes output, query rows x d_model.
  void forward(const Real* parameters, Phase phase, const Packing& packing,
               ConstMatrixView<Real> input, MatrixView<Real> output, AttentionTrace<Real>& trace,
               AttentionScratch<Real>& scratch) const;

  /// Writes dinput, which may be doutput itself where every row asks, and adds to dparameters.
  void backward(const Real* parameters, const Packing& packing, ConstMatrixView<Real> input,
                const AttentionTrace<Real>& trace, MatrixView<Real> doutput,
                MatrixView<Real> dinput, Real* dparameters, AttentionScratch<Real>& scratch) const;

  // The same steps for streaming evaluation; rows: any of the sequence.

  /// normed = norm(input).
  void normalise(const Real* parameters, ConstMatrixView<Real> input, MatrixView<Real> normed,
                 Real* inverse_rms) const;
  void project_query(const Real* parameters, ConstMatrixView<Real> normed,
                     MatrixView<Real> query) const;
  /// key_value: rows x 2 d_model.
  void project_key_value(const Real* parameters, ConstMatrixView<Real> normed,
                         MatrixView<Real> key_value) const;
  /// stream += Wo attended.
  void add_output(const Real* parameters, ConstMatrixView<Real> attended,
                  MatrixView<Real> stream) const;
  const Real* head_parameters(const Real* parameters) const { return parameters + offsets_.heads; }

 private:
  struct Offsets {
    Index norm, query, key_value, heads, output;
  };
  Index d_model() const { return heads_.shape().d_model(); }
  HeadInputs<Real> head_inputs(const Packing& packing, const AttentionTrace<Real>& trace) const;

  // The steps backward; each mirrors one of those above.
  void add_output_backward(const Real* parameters, const AttentionTrace<Real>& trace,
                           ConstMatrixView<Real> doutput, MatrixView<Real> dattended,
                           Real* dparameters) const;
  void project_backward(const Real* parameters, const Packing& packing, const HeadInputs<Real>& in,
                        ConstMatrixView<Real> dquery, ConstMatrixView<Real> dkey_value,
                        MatrixView<Real> dselected, MatrixView<Real> dnormed,
                        Real* dparameters) const;

  Heads<Real> heads_;
  std::vector<TensorSpec> tensors_;
  Offsets offsets_{};
};

}  // namespace attnspan
