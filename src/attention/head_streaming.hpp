#pragma once

#include <memory>
#include <span>
#include <vector>

#include "attention/heads.hpp"
#include "attention/key_bounds.hpp"
#include "attention/key_sieve.hpp"
#include "ops/room.hpp"

namespace attnspan {

/// Keys and values of one whole sequence.
template <class Real>
struct KeyStore {
  static constexpr Index block = KeyBounds<Real>::block;

  std::span<const Position> positions;
  /// Of each vector, tokens x width, as they enter the scores; of each head, tokens x d_head. One
  /// behind the other: a head's lie close together.
  std::vector<MatrixView<Real>> keys, values;
  MatrixView<Real> features;  ///< tokens x (heads features)
  /// Tokens x width: the first head's queries, where the normalizer is selective.
  MatrixView<Real> selectors;
  KeyBounds<Real> bounds;  ///< taken only for skipping
  KeySieve<Real> sieve;    ///< likewise, of some heads
  Room<Real> key_memory, value_memory, feature_memory, selector_memory;
};

/// Query rows that stream together, at increasing places of one sequence.
template <class Real>
struct QueryTile {
  std::span<const Index> places;
  ConstMatrixView<Real> queries;  ///< rows x (heads width), as they enter the scores
  /// Rows x keys: what earlier rows have taken from the scores, where the normalizer is selective.
  MatrixView<const Real> taken = {};
};

/// A table of distinct keys and values, and how often each of them stands in the past of each query
/// row: rows x distinct keys.
template <class Real>
struct CountedKeys {
  ConstMatrixView<Real> keys, values, copies;
};

/// Memory of one thread.
template <class Real>
struct StreamingScratch {
  AlignedVector<Real> unit, turned, scales, scaled, scores, weights, carried, more;
  std::vector<Real> floors;
  typename KeyBounds<Real>::Tile bounds;
  typename KeySieve<Real>::Tile sieve;
  AlignedVector<Real> few_queries;
  std::vector<std::unique_ptr<RowStream<Real>>> streams;  ///< one for each view
};

/// The heads at work on one long sequence, keys in blocks, nearest first.
template <class Real>
class HeadStreaming {
 public:
  explicit HeadStreaming(const Heads<Real>& heads) : heads_(heads) {}

  /// Makes room for a sequence at these positions.
  void open(std::span<const Position> positions, KeyStore<Real>& store) const;

  /// Puts in the keys and values (rows x (vectors d_head) and rows x (heads d_head), keys as
  /// projected) of rows first and following.
  void put(const Real* parameters, Index first, ConstMatrixView<Real> keys,
           ConstMatrixView<Real> values, KeyStore<Real>& store,
           StreamingScratch<Real>& scratch) const;

  /// Whether rows take from the scores of later rows. Then every row's query is put in too, and
  /// tiles come with what was taken.
  bool selective() const { return heads_.normalizer(Phase::evaluation).selective(); }

  /// Puts in the queries of rows first and following (rows x (vectors d_head), as projected; x:
  /// rows x d_model, the layer's normed input).
  void put_selectors(const Real* parameters, Index first, ConstMatrixView<Real> projected,
                     ConstMatrixView<Real> x, KeyStore<Real>& store,
                     StreamingScratch<Real>& scratch) const;

  /// Writes the first head's scores of rows first and following over the keys up to each row's own:
  /// rows x at least so many keys.
  void first_head_scores(const Real* parameters, const KeyStore<Real>& store, Index first,
                         MatrixView<Real> scores, StreamingScratch<Real>& scratch) const;

  /// Whether the encoding reads the tokens.
  bool reads() const { return heads_.position().features() > 0; }

  /// With all keys in place: what the encoding reads of the layer's normed input (tokens x d_model,
  /// needed only where `reads`), and the bounds that skipping needs.
  void close(const Real* parameters, ConstMatrixView<Real> x, bool skip,
             KeyStore<Real>& store) const;

  /// With all keys in place: takes those of these heads in bytes too where that helps skipping,
  /// which pays from some hundred asking rows on.
  void sift(std::span<const Index> which, KeyStore<Real>& store) const;

  /// Queries of a tile as they enter the scores, from those projected and the layer's normed input
  /// (rows x d_model both). The result lies in the scratch.
  MatrixView<const Real> queries(const Real* parameters, ConstMatrixView<Real> projected,
                                 ConstMatrixView<Real> x, std::span<const Index> places,
                                 std::span<const Position> positions,
                                 StreamingScratch<Real>& scratch) const;

  /// Attention of a tile over the keys before and at each row. With `skip`, blocks of keys that
  /// cannot change a row are left out; the result is the same to rounding. `which`: the heads to
  /// work out; others' output columns stay as they are.
  void attend(const Real* parameters, const KeyStore<Real>& store, const QueryTile<Real>& tile,
              std::span<const Index> which, bool skip, MatrixView<Real> output,
              StreamingScratch<Real>& scratch) const;

  /// Scores (of the first view) and weights of a tile of one row over every key before and at it,
  /// in the order of the keys; each has room for place + 1 numbers.
  void weigh(const Real* parameters, const KeyStore<Real>& store, const QueryTile<Real>& tile,
             Index head, Real* scores, Real* weights, StreamingScratch<Real>& scratch) const;

  /// Whether a head's attention may be worked out from counts of equal keys: where keys and values
  /// depend on the token alone, attention over n keys is attention over the distinct tokens.
  bool countable(Index head) const;

  /// A table of keys, as projected, as it enters the scores of countable heads; lies in `unit` or
  /// is `keys`.
  MatrixView<const Real> countable_keys(ConstMatrixView<Real> keys,
                                        AlignedVector<Real>& unit) const;

  /// The same attention over counted keys, whose table is one of countable_keys.
  void attend_counted(const Real* parameters, const CountedKeys<Real>& counted,
                      ConstMatrixView<Real> queries, std::span<const Index> which,
                      MatrixView<Real> output, StreamingScratch<Real>& scratch) const;

 private:
  struct Walk;
  enum class Needed { here, elsewhere, nowhere };

  void attend(const Walk& walk, bool skip, RowStream<Real>& stream,
              StreamingScratch<Real>& scratch) const;
  void attend_sifted(const Walk& walk, RowStream<Real>& stream,
                     StreamingScratch<Real>& scratch) const;
  void push_stretch(const Walk& walk, Index stretch, std::span<const Index> rows,
                    RowStream<Real>& stream, StreamingScratch<Real>& scratch) const;
  BiasRow<Real> bias_row(const Walk& walk, Index row, Index first, Index count) const;
  Needed needed(const Walk& walk, Index block, StreamingScratch<Real>& scratch) const;
  MatrixView<Real> score(const Walk& walk, Index block, StreamingScratch<Real>& scratch) const;

  const Heads<Real>& heads_;
};

}  // namespace attnspan
