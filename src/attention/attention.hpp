#pragma once

#include <string>
#include <vector>

#include "attention/head_training.hpp"

namespace attnspan {

/// What a layer may have around its heads; nothing of it unless asked for.
struct Surroundings {
  /// Queries and keys of every head are normed, each with a gain for all heads (Dehghani et al.
  /// 2023, arXiv 2302.05442).
  bool query_key_norm = false;
  /// What the heads attend to is normed before it is projected (Wang et al. 2022, arXiv
  /// 2210.06423).
  bool output_norm = false;
  /// Then it is multiplied by sigmoid(W x), x the layer's normed input, one number for each head or
  /// for each element (Qiu et al. 2025, arXiv 2505.06708).
  enum class Gate { none, head, element } gate = Gate::none;
};

/// What norming the vectors of every head leaves for the backward pass.
template <class Real>
struct HeadNormTrace {
  AlignedVector<Real> raw, inverse_rms;
};

/// The same for what stands between the heads and their projection.
template <class Real>
struct OutputTrace {
  AlignedVector<Real> normed, inverse_rms, gates, gated;
};

/// What the forward pass keeps for the backward pass; reused from step to step.
template <class Real>
struct AttentionTrace {
  AlignedVector<Real> normed, inverse_rms, query_normed, query, key_value, attended;
  AlignedVector<Real> whole_attended;  ///< of all rows, where all ask for the sake of others
  HeadNormTrace<Real> query_norm, key_norm;
  OutputTrace<Real> output;
  HeadTrace<Real> heads;
};

/// Memory of one thread.
template <class Real>
struct AttentionScratch {
  AlignedVector<Real> dattended, dwhole_attended, dquery, dkey_value, dnormed, dselected, dcontext;
  AlignedVector<Real> doutput, dgates, dvectors;
  HeadScratch<Real> heads;
};

/// Attention of one layer: x + Wo heads(norm(x)), with queries, keys and values projected from
/// norm(x), and with what else surrounds the heads. Immutable and thread-safe.
template <class Real>
class Attention {
 public:
  /// layers: of the whole model, whose depth decides how small the output starts.
  Attention(const LayerShape& shape, Index layers, AttentionParts<Real> parts,
            const Surroundings& around = {});

  /// Learned tensors in the order of `parameters` pointers.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }

  const Heads<Real>& heads() const { return heads_; }

  /// Width of the values of all heads, and of their queries or keys.
  Index width() const { return heads_.shape().width(); }
  Index key_width() const { return heads_.vectors() * heads_.shape().d_head; }

  /// input: key rows x d_model; writes output, query rows x d_model.
  void forward(const Real* parameters, Phase phase, const Packing& packing,
               ConstMatrixView<Real> input, MatrixView<Real> output,
               AttentionTrace<Real>& trace) const;

  /// Writes dinput, which may be doutput itself where every row asks, and adds to dparameters.
  void backward(const Real* parameters, const Packing& packing, ConstMatrixView<Real> input,
                const AttentionTrace<Real>& trace, MatrixView<Real> doutput,
                MatrixView<Real> dinput, Real* dparameters, AttentionScratch<Real>& scratch) const;

  // The same steps for streaming evaluation; rows: any of the sequence.

  /// normed = norm(input).
  void normalise(const Real* parameters, ConstMatrixView<Real> input, MatrixView<Real> normed,
                 Real* inverse_rms) const;
  /// query: rows x key_width.
  void project_query(const Real* parameters, ConstMatrixView<Real> normed, MatrixView<Real> query,
                     HeadNormTrace<Real>& trace) const;
  /// key_value: rows x (key_width + width).
  void project_key_value(const Real* parameters, ConstMatrixView<Real> normed,
                         MatrixView<Real> key_value, HeadNormTrace<Real>& trace) const;
  /// stream += Wo of what the heads attended to (rows x width), normed and gated where asked for.
  void add_output(const Real* parameters, ConstMatrixView<Real> normed,
                  ConstMatrixView<Real> attended, MatrixView<Real> stream,
                  OutputTrace<Real>& trace) const;
  const Real* head_parameters(const Real* parameters) const { return parameters + offsets_.heads; }

 private:
  struct Offsets {
    Index norm, query, key_value, query_norm, key_norm, heads, output_norm, gate, output;
  };
  Index d_model() const { return heads_.shape().d_model(); }
  Index gates() const {
    return around_.gate == Surroundings::Gate::none   ? 0
           : around_.gate == Surroundings::Gate::head ? heads_.shape().heads
                                                      : width();
  }
  /// Whether rows ask whose output nobody wants.
  bool asks_whole(const Packing& packing) const {
    return heads_.normalizer(Phase::training).selective() && !packing.every_row_asks();
  }
  HeadInputs<Real> head_inputs(const Packing& packing, const AttentionTrace<Real>& trace) const;

  void norm_heads(const Real* gain, MatrixView<Real> vectors, HeadNormTrace<Real>& trace) const;

  // The steps backward; each mirrors one of those above.
  void add_output_backward(const Real* parameters, ConstMatrixView<Real> x,
                           const AttentionTrace<Real>& trace, ConstMatrixView<Real> doutput,
                           MatrixView<Real> dattended, MatrixView<Real> dx, Real* dparameters,
                           AttentionScratch<Real>& scratch) const;
  void norm_heads_backward(const Real* gain, const HeadNormTrace<Real>& trace,
                           MatrixView<Real> dvectors, Real* dgain,
                           AttentionScratch<Real>& scratch) const;
  void project_backward(const Real* parameters, const Packing& packing, const HeadInputs<Real>& in,
                        ConstMatrixView<Real> dquery, ConstMatrixView<Real> dkey_value,
                        MatrixView<Real> dselected, MatrixView<Real> dnormed,
                        Real* dparameters) const;

  Heads<Real> heads_;
  Surroundings around_;
  std::vector<TensorSpec> tensors_;
  Offsets offsets_{};
};

}  // namespace attnspan
