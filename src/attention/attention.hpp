#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attention/normalizer.hpp"
#include "attention/scaler.hpp"
#include "position/position.hpp"

namespace attnspan {

struct AttentionShape {
  Index heads = 1;
  Index d_head = 1;
  Index d_model() const { return heads * d_head; }
};

/// Which rows attend to which, for several sequences stacked on each other. Queries may be fewer
/// than keys: the last layer asks for answer rows only.
struct Packing {
  std::vector<Index> key_begin;    ///< sequences + 1 offsets into the key rows
  std::vector<Index> query_begin;  ///< sequences + 1 offsets into the query rows
  std::vector<Index> places;       ///< of each query row: its 0-based place in its sequence
  std::vector<Index> query_rows;   ///< of each query row: the key row it is

  Index sequences() const { return static_cast<Index>(key_begin.size()) - 1; }
  Index queries() const { return static_cast<Index>(places.size()); }
};

/// What the forward pass keeps for the backward pass; reused from step to step.
template <class Real>
struct AttentionTrace {
  AlignedVector<Real> scales;  ///< queries x scaled heads
  AlignedVector<Real> scaled;  ///< queries x d_model: s q / sqrt(d_head)
  AlignedVector<Real> states;  ///< queries x heads x the normalizer's state
};

/// Scratch memory of one thread; grows to the longest tile met and stays.
template <class Real>
struct AttentionScratch {
  AlignedVector<Real> scores, weights, dweights, dscaled, dscales;
};

/// Keys and values of one whole sequence for streaming evaluation, with bounds on blocks of keys.
template <class Real>
struct KeyStore {
  static constexpr Index block = 128;

  MatrixView<Real> keys, values;  ///< tokens x d_model
  const Position* positions = nullptr;
  AlignedVector<Real> bounds;  ///< heads x (2 d_head) x blocks: the largest, then the smallest, of
                               ///< each coordinate over a block's keys
  AlignedVector<Real> norms;   ///< heads x blocks: the largest norm of a key of this or an earlier
                               ///< block
  AlignedVector<Real> sizes;   ///< heads x blocks: the norm of the largest absolute coordinates,
                               ///< likewise; not a number where a key is not

  Index tokens() const { return keys.rows; }
  Index blocks() const { return (tokens() + block - 1) / block; }
};

/// Multi-head causal attention of one layer: z_ij = (s_i q_i) . k_j / sqrt(d_head) + bias_ij,
/// weights = normalizer(z_i), output_i = sum_j weights_ij v_j. Knows nothing of particular scalers,
/// normalizers or encodings. Immutable and thread-safe.
template <class Real>
class Attention {
 public:
  /// Throws InputError on unknown names.
  Attention(const AttentionShape& shape, const std::string& variant, const std::string& position);

  /// The same from parts that need not be in a catalog.
  Attention(const AttentionShape& shape, std::unique_ptr<Scaler<Real>> scaler,
            std::unique_ptr<Normalizer<Real>> normalizer,
            std::unique_ptr<PositionEncoding<Real>> position);

  /// Learned tensors of scaler, normalizer and encoding, in the order of `parameters` pointers.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }

  const PositionEncoding<Real>& position() const { return *position_; }

  /// Training, one micro-batch. x: queries x d_model, the layer's normed input at the query rows;
  /// q: queries x d_model; k, v: keys x d_model, q and k already rotated. Writes output, queries x
  /// d_model. Memory grows linearly with the length: scores exist for one tile of rows at a time.
  void forward(const Real* parameters, const Packing& packing, const Position* positions,
               ConstMatrixView<Real> x, ConstMatrixView<Real> q, ConstMatrixView<Real> k,
               ConstMatrixView<Real> v, MatrixView<Real> output, AttentionTrace<Real>& trace,
               AttentionScratch<Real>& scratch) const;

  /// Writes dq, adds to dk, dv, dx and dparameters. Scores are worked out again tile by tile.
  void backward(const Real* parameters, const Packing& packing, const Position* positions,
                ConstMatrixView<Real> x, ConstMatrixView<Real> q, ConstMatrixView<Real> k,
                ConstMatrixView<Real> v, ConstMatrixView<Real> doutput,
                const AttentionTrace<Real>& trace, MatrixView<Real> dq, MatrixView<Real> dk,
                MatrixView<Real> dv, MatrixView<Real> dx, Real* dparameters,
                AttentionScratch<Real>& scratch) const;

  /// Streaming evaluation: multiplies the queries of a tile by s / sqrt(d_head), in place.
  void scale(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
             MatrixView<Real> q) const;

  /// Fills the bounds of a key store whose keys and values are in place.
  void bound_keys(KeyStore<Real>& store) const;

  /// What `attend` works with; one per thread.
  std::unique_ptr<RowStream<Real>> stream() const { return normalizer_->stream(shape_.d_head); }

  /// Attention of a tile of scaled queries (rows x d_model) at increasing `places` over the keys
  /// before and at each. With `skip`, blocks of keys that cannot change a row are left out; the
  /// result is the same to rounding. `heads`: those to work out; others' output columns stay as
  /// they are.
  void attend(const Real* parameters, const KeyStore<Real>& store, ConstMatrixView<Real> queries,
              const Index* places, std::span<const Index> heads, bool skip, RowStream<Real>& stream,
              MatrixView<Real> output, AttentionScratch<Real>& scratch) const;

  /// Whether a head's attention may be worked out from counts of equal keys: where keys and values
  /// depend on the token alone, attention over n keys is attention over the distinct tokens.
  bool countable(Index head) const;

  /// The same attention where key row t of `keys` and `values` stands copies.row(i)[t] times in
  /// query row i's past.
  void attend_counted(const Real* parameters, ConstMatrixView<Real> keys,
                      ConstMatrixView<Real> values, ConstMatrixView<Real> copies,
                      ConstMatrixView<Real> queries, std::span<const Index> heads,
                      MatrixView<Real> output, AttentionScratch<Real>& scratch) const;

 private:
  const Real* normalizer_parameters(const Real* parameters, Index head) const;
  Index scaled_heads() const { return static_cast<Index>(scaled_heads_.size()); }

  /// Scores and biases of the query rows [begin, end) of one sequence and head; returns how many
  /// keys the last of them sees. Row r's scores are valid up to its own place.
  Index score_tile(const Real* parameters, const Packing& packing, Index sequence, Index head,
                   Index begin, Index end, const Position* positions,
                   const AttentionTrace<Real>& trace, ConstMatrixView<Real> k,
                   MatrixView<Real> scores) const;

  AttentionShape shape_;
  std::unique_ptr<Scaler<Real>> scaler_;
  std::unique_ptr<Normalizer<Real>> normalizer_;
  std::unique_ptr<PositionEncoding<Real>> position_;
  std::vector<Index> scaled_heads_;
  std::vector<TensorSpec> tensors_;
  Index normalizer_offset_ = 0;  // into the parameters, after the scaler's
  Index position_offset_ = 0;    // after the normalizer's
};

}  // namespace attnspan
