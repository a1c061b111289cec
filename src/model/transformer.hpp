#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "attention/attention.hpp"
#include "model/config.hpp"

namespace attnspan {

/// Where a tensor lies in the flat vector of all trained numbers.
struct PlacedTensor {
  TensorSpec spec;
  Index offset = 0;
};

/// Sequences stacked into one block of rows, with the tokens that each scored row must predict.
struct PackedBatch {
  std::vector<std::int32_t> tokens;   ///< inputs, sequence after sequence
  std::vector<Position> positions;    ///< of each input row
  std::vector<Index> begin;           ///< sequences + 1 offsets into the rows
  std::vector<Index> answer_rows;     ///< increasing: rows whose next token is scored
  std::vector<Index> answer_begin;    ///< sequences + 1 offsets into answer_rows
  std::vector<std::int32_t> targets;  ///< the token that each answer row must predict

  Index rows() const { return static_cast<Index>(tokens.size()); }
};

/// One thread's memory for training: activations of a micro-batch, their gradients, scratch. Grows
/// to the largest micro-batch met and stays, so that steps allocate nothing.
template <class Real>
struct Workspace {
  struct Layer {
    AlignedVector<Real> input, normed, inverse_rms, query, key_value, attended;
    AlignedVector<Real> middle, middle_normed, middle_inverse_rms, hidden, activated;
    AttentionTrace<Real> trace;
  };
  std::vector<Layer> layers;
  AlignedVector<Real> output, output_normed, output_inverse_rms, logits;
  AlignedVector<Real> query_normed;
  AlignedVector<Real> dstream, dnormed, dquery, dkey_value, dattended, dhidden, dselected;
  AttentionScratch<Real> scratch;
};

/// Decoder-only transformer: embedding; layers of x += Wo attention(norm(x)), x += W2 gelu(W1
/// norm(x)); norm; untied output. The last layer works out answer rows only. All trained numbers
/// lie in one flat vector that the caller owns. Immutable and thread-safe.
template <class Real>
class Transformer {
 public:
  /// Throws InputError like check(config).
  explicit Transformer(const ModelConfig& config);

  const ModelConfig& config() const { return config_; }
  const std::vector<PlacedTensor>& tensors() const { return tensors_; }
  Index parameter_count() const { return parameter_count_; }
  const PositionEncoding<Real>& position() const { return attention_.position(); }

  /// Starting values: a pure function of the seed and the replicate.
  AlignedVector<Real> initial_parameters(std::uint64_t seed, int replicate) const;

  /// Training: returns the sum of the cross-entropies at the answer rows, in nats, and adds its
  /// gradient to dparameters.
  double loss_and_gradient(std::span<const Real> parameters, const PackedBatch& batch,
                           Workspace<Real>& workspace, std::span<Real> dparameters) const;

  /// The logits (answer rows x vocabulary) that training sees; the straightforward path that
  /// streaming evaluation is held against.
  AlignedVector<Real> logits(std::span<const Real> parameters, const PackedBatch& batch) const;

  struct StreamingOptions {
    bool skip = true;                         ///< leave out keys that cannot matter
    const std::atomic<bool>* stop = nullptr;  ///< polled between tiles
  };

  /// Evaluation: logits at the answer rows of one sequence (answer rows x vocabulary), by streaming
  /// attention; memory grows linearly with the length. Spreads over the OpenMP threads. Empty when
  /// stopped.
  AlignedVector<Real> stream_logits(std::span<const Real> parameters,
                                    std::span<const std::int32_t> tokens,
                                    std::span<const Position> positions,
                                    std::span<const Index> answer_rows,
                                    const StreamingOptions& options) const;

 private:
  class StreamingPass;
  struct LayerOffsets {
    Index norm, query, key_value, output, feed_norm, up, down, attention;
  };

  void forward(const Real* parameters, const PackedBatch& batch, Workspace<Real>& workspace) const;
  void backward(const Real* parameters, const PackedBatch& batch, Workspace<Real>& workspace,
                Real* dparameters) const;
  Packing packing(const PackedBatch& batch, bool answers_only) const;
  Index place(TensorSpec spec);
  MatrixView<const Real> matrix(const Real* parameters, Index offset, Index rows,
                                Index cols) const {
    return {parameters + offset, rows, cols};
  }

  ModelConfig config_;
  Attention<Real> attention_;
  std::vector<PlacedTensor> tensors_;
  std::vector<LayerOffsets> layers_;
  Index embedding_ = 0, norm_ = 0, output_ = 0;
  Index parameter_count_ = 0;
};

}  // namespace attnspan
