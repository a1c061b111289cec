#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <vector>

#include "attention/attention.hpp"
#include "attention/attention_streaming.hpp"
#include "model/config.hpp"
#include "model/feed_forward.hpp"
#include "position/positions.hpp"

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
  std::vector<Rng> noise;             ///< of each sequence, for dropout

  Index rows() const { return static_cast<Index>(tokens.size()); }
};

/// One thread's memory for training: activations of a micro-batch, their gradients, scratch. Grows
/// to the largest micro-batch met and stays, so that steps allocate nothing that grows with
/// d_model.
template <class Real>
struct Workspace {
  struct Layer {
    AlignedVector<Real> input;   ///< rows x d_model
    AlignedVector<Real> middle;  ///< query rows x d_model: between attention and feed-forward
    AttentionTrace<Real> attention;
    FeedForwardTrace<Real> feed_forward;
    AlignedVector<Real> attention_mask, feed_forward_mask;  ///< query rows x d_model, for dropout
  };
  std::vector<Layer> layers;
  AlignedVector<Real> output, output_normed, output_inverse_rms, logits;
  AlignedVector<Real> dstream, dspread, dnormed, dkept;
  AlignedVector<Real> embedding_mask;
  std::vector<Rng> noise;
  AttentionScratch<Real> attention;
  FeedForwardScratch<Real> feed_forward;
};

/// Decoder-only transformer: embedding; layers of attention and feed-forward; norm; untied output.
/// The last layer works out answer rows only. All trained numbers lie in one flat vector that the
/// caller owns. Immutable and thread-safe.
template <class Real>
class Transformer {
 public:
  /// Throws InputError like check(config).
  explicit Transformer(const ModelConfig& config);

  const ModelConfig& config() const { return config_; }
  const std::vector<PlacedTensor>& tensors() const { return tensors_; }
  Index parameter_count() const { return parameter_count_; }
  /// Which positions the rows of a sequence get.
  const Positions& positions() const { return positions_; }
  const Attention<Real>& attention(Index layer) const {
    return layers_[static_cast<std::size_t>(layer)].attention;
  }

  /// Starting values: a pure function of the seed and the replicate.
  AlignedVector<Real> initial_parameters(std::uint64_t seed, int replicate) const;

  /// Training: returns the sum of the cross-entropies at the answer rows, in nats, and adds its
  /// gradient to dparameters.
  double loss_and_gradient(std::span<const Real> parameters, const PackedBatch& batch,
                           Workspace<Real>& workspace, std::span<Real> dparameters) const;

  /// The logits (answer rows x vocabulary) that training sees; the straightforward path that
  /// streaming evaluation is held against.
  AlignedVector<Real> logits(std::span<const Real> parameters, const PackedBatch& batch,
                             Phase phase = Phase::evaluation) const;

  struct StreamingOptions {
    bool skip = true;                         ///< leave out keys that cannot matter
    const std::atomic<bool>* stop = nullptr;  ///< polled between tiles
    /// Rows to be shown, at these places, layer after layer; from the calling thread.
    std::span<const Index> shown{};
    std::function<void(Index layer, const AttentionRow<Real>&)> show{};
  };

  /// Evaluation: logits at the answer rows of one sequence (answer rows x vocabulary), by streaming
  /// attention; memory grows linearly with the length. Spreads over the threads. Empty when
  /// stopped.
  AlignedVector<Real> stream_logits(std::span<const Real> parameters,
                                    std::span<const std::int32_t> tokens,
                                    std::span<const Position> positions,
                                    std::span<const Index> answer_rows,
                                    const StreamingOptions& options) const;

 private:
  class StreamingPass;
  struct Layer {
    Attention<Real> attention;
    FeedForward<Real> feed_forward;
    Index attention_offset = 0, feed_forward_offset = 0;  // into the parameters
  };

  void embed(const Real* parameters, std::span<const std::int32_t> tokens,
             std::span<const Position> positions, MatrixView<Real> stream) const;
  void embed_backward(const PackedBatch& batch, ConstMatrixView<Real> dstream,
                      Real* dparameters) const;
  void forward(const Real* parameters, Phase phase, const PackedBatch& batch,
               Workspace<Real>& workspace) const;
  void backward(const Real* parameters, const PackedBatch& batch, Workspace<Real>& workspace,
                Real* dparameters) const;
  // Dropout of what a step adds to the stream.
  bool drops(Phase phase) const { return phase == Phase::training && config_.dropout > 0; }
  MatrixView<Real> draw_mask(const std::vector<Index>& begin, std::vector<Rng>& noise,
                             AlignedVector<Real>& memory) const;

  bool last(std::size_t layer) const { return layer + 1 == layers_.size(); }
  Packing packing(const PackedBatch& batch, bool answers_only) const;

  /// The encoding of the first layer is the one that may add to the embedding.
  const PositionEncoding<Real>& embedded_position() const {
    return layers_[0].attention.heads().position();
  }

  Index place(TensorSpec spec);
  Index place_all(const std::string& owner, const std::vector<TensorSpec>& specs);
  MatrixView<const Real> matrix(const Real* parameters, Index offset, Index rows,
                                Index cols) const {
    return {parameters + offset, rows, cols};
  }

  ModelConfig config_;
  Positions positions_;
  std::int64_t longest_sequence_;
  std::vector<Layer> layers_;
  std::vector<PlacedTensor> tensors_;
  Index embedding_ = 0, embedded_position_ = 0, norm_ = 0, output_ = 0;
  Index parameter_count_ = 0;
};

}  // namespace attnspan
