#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "ops/matrix.hpp"

namespace attnspan {

/// Attention of a tile of query rows over keys that arrive in blocks, nearest block first; the
/// memory it needs grows with the number of keys that matter, not with rows times keys.
template <class Real>
class RowStream {
 public:
  virtual ~RowStream() = default;

  /// Forgets everything and expects visible.size() rows of the head whose learned numbers are
  /// `parameters`; row r will see visible[r] keys in all.
  virtual void start(const Real* parameters, std::span<const Index> visible) = 0;

  /// One block: scores (rows x keys, -infinity where hidden, may be overwritten), the keys' values
  /// (keys x d_head), and the index of the first of them. Blocks may be left out.
  /// As it stands here, row by row.
  virtual void push(MatrixView<Real> scores, ConstMatrixView<Real> /*values*/, Index first_key) {
    for (Index i = 0; i < scores.rows; ++i) push_row(i, scores.row(i), scores.cols, first_key);
  }

  /// Whether keys at or below a row's floor leave no trace in it at all. Then rows may be pushed on
  /// their own.
  virtual bool traceless() const { return false; }

  /// One row of a block: the scores of its first `count` keys.
  virtual void push_row(Index /*row*/, const Real* /*scores*/, Index /*count*/,
                        Index /*first_key*/) {}

  /// The same of several blocks (those of KeyBounds), but only keys above the row's floor, and all
  /// of those: their scores and where they stand behind first_key, which begins a block; the
  /// nearest block first, ascending within a block.
  virtual void push_found(Index /*row*/, const Real* /*scores*/, const std::int32_t* /*places*/,
                          Index /*count*/, Index /*first_key*/) {}

  /// Writes the attended values (rows x d_head); `values` is the whole sequence's.
  virtual void finish(ConstMatrixView<Real> values, MatrixView<Real> output) = 0;

  /// A key not yet pushed whose score is at or below this cannot change the row's result beyond the
  /// rounding of Real; -infinity while nothing is known, or ever.
  virtual Real floor(Index row) const = 0;
};

/// Keys whose weighted values are summed in Real, in order; the sums of such blocks, which begin at
/// its multiples, are summed in double.
inline constexpr Index attended_block = 512;

/// Weights of one whole row of scores.
template <class Real>
using RowWeights =
    std::function<void(const Real* parameters, const Real* scores, Index count, Real* weights)>;

/// A stream that keeps every score of a tile, in memory linear in the number of keys, and weighs
/// rows when all have come. Keys of blocks that are left out count as hidden.
template <class Real>
std::unique_ptr<RowStream<Real>> keep_rows(RowWeights<Real> weights, Index d_head);

}  // namespace attnspan
