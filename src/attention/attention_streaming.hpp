#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <vector>

#include "attention/attention.hpp"
#include "attention/selection_streaming.hpp"

namespace attnspan {

/// Rows of a sequence that a thread works on at one time.
constexpr Index streaming_rows = 64;

inline Index streaming_tiles(Index rows) { return (rows + streaming_rows - 1) / streaming_rows; }

/// The rows of a stream that is nothing yet but the embedding of its tokens.
template <class Real>
struct EmbeddedTokens {
  std::span<const std::int32_t> tokens;
  ConstMatrixView<Real> embedding;  ///< vocabulary x d_model
};

/// One row of one head.
template <class Real>
struct AttentionRow {
  Index head = 0, place = 0;
  std::span<const Real> scores, weights;  ///< of every key before and at the place
  std::span<const Real> output;           ///< what the head attends to: d_head numbers
  Real scale = 1;                         ///< of the scaler; 1 where it leaves the head alone
};

/// Attention of one layer after the other over one long sequence. Memory stays from layer to layer.
template <class Real>
class AttentionStreaming {
 public:
  /// `stop`, where given, is polled between tiles. With `skip`, what cannot change a result is left
  /// out.
  AttentionStreaming(std::span<const Position> positions, bool skip, const std::atomic<bool>* stop);

  /// Works out the keys and values of all rows of the stream (tokens x d_model), for a layer that
  /// asks at these places. `embedded`: where given, keys and values depend on the token alone, so
  /// that heads which see the past as a multiset are worked out from counts of the distinct tokens.
  void open(const Attention<Real>& layer, const Real* parameters, ConstMatrixView<Real> stream,
            std::span<const Index> places, const EmbeddedTokens<Real>* embedded);

  /// Tiles that are worked on at one time: all of them, or as many as there are threads where the
  /// normalizer is selective.
  Index tiles_at_once() const;

  /// Before the tiles from this one on, `count` of them, are added: works out what earlier rows
  /// have taken from their scores, where the normalizer is selective.
  void select(Index tile, Index count);

  /// Shows the row at a place, whose part of the stream (1 x d_model) this is, of every head.
  /// Needs a layer that is open without skipping.
  void show(Index place, ConstMatrixView<Real> row,
            const std::function<void(const AttentionRow<Real>&)>& visit);

  /// Adds the attention of the rows of a tile, those of the places from tile streaming_rows on.
  /// From any thread.
  void add(Index tile, MatrixView<Real> tile_stream);

 private:
  struct Local {
    AlignedVector<Real> normed, inverse_rms, query, key_value, attended, copies;
    HeadNormTrace<Real> head_norm;
    OutputTrace<Real> output;
    StreamingScratch<Real> scratch;
  };

  Local& local();
  bool stopped() const { return stop_ && stop_->load(std::memory_order_relaxed); }
  void split_heads();
  void project_tokens(const EmbeddedTokens<Real>& embedded);
  /// Of each row from the first on what its token has.
  void copy_rows(ConstMatrixView<Real> of_tokens, Index first, MatrixView<Real> rows) const;
  void put_keys(ConstMatrixView<Real> stream);
  void count_tokens();
  MatrixView<const Real> copies_seen(Index tile, std::span<const Index> places);

  std::span<const Position> positions_;
  bool skip_;
  const std::atomic<bool>* stop_;
  std::vector<Local> locals_;

  const Attention<Real>* layer_ = nullptr;
  const Real* parameters_ = nullptr;
  std::span<const Index> places_;
  std::vector<Index> streamed_heads_, counted_heads_;
  KeyStore<Real> store_;
  SelectionStreaming<Real> selection_;
  Index first_selected_ = 0;           // tile
  MatrixView<const Real> taken_ = {};  // of its rows and those after it
  Room<Real> normed_;                  // of all rows, where an encoding reads them
  std::span<const std::int32_t> tokens_;
  // Of each token of the vocabulary, where rows depend on the token alone and are more.
  bool by_token_ = false;
  MatrixView<const Real> token_normed_, token_query_, token_key_value_;
  AlignedVector<Real> token_normed_memory_, token_query_memory_, token_key_value_memory_;
  CountedKeys<Real> counted_;
  AlignedVector<Real> token_keys_;
  AlignedVector<Real> copies_before_;  // tiles x vocabulary
};

}  // namespace attnspan
