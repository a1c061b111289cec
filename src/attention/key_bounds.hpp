#pragma once

#include <span>
#include <vector>

#include "ops/matrix.hpp"

namespace attnspan {

/// What is known of blocks of keys before any key of them is looked at: the largest and the
/// smallest of each coordinate, and how long their keys are.
template <class Real>
class KeyBounds {
 public:
  static constexpr Index block = 128;
  /// Blocks whose bounds lie side by side and are worked out together.
  static constexpr Index run = 32;

  /// Takes the bounds of every head's keys: tokens x width each. Spreads over the threads.
  void take(const std::vector<MatrixView<Real>>& keys);

  /// Bounds on the scores of a tile of queries with every block of one head's keys.
  class Tile {
   public:
    /// queries: rows x width, those of this head.
    void open(const KeyBounds& keys, Index head, ConstMatrixView<Real> queries);

    /// Has the bounds with a block and its neighbours of the run ready, which `here` reads.
    void reach(Index of_block);

    /// No score of this row with a key of the block, biases of at most `bias` added, is above this,
    /// however it is rounded; not a number where a key or a query is not.
    Real here(Index row, Index of_block, Real bias) const {
      return upper_[static_cast<std::size_t>(row * run + of_block % run)] +
             slack(row, of_block, bias) + bias;
    }

    /// The same for the keys of this block and of every earlier one.
    Real here_or_earlier(Index row, Index of_block, Real bias) const {
      const auto at = static_cast<std::size_t>(of_block);
      return norms_[static_cast<std::size_t>(row)] * lengths_[at] + slack(row, of_block, bias) +
             bias;
    }

   private:
    Real slack(Index row, Index of_block, Real bias) const;

    const KeyBounds* keys_ = nullptr;
    Index head_ = 0, rows_ = 0, reached_ = -1;  // reached_: a run
    Real rounding_ = 0;
    const Real *lengths_ = nullptr, *sizes_ = nullptr;  // of the head's blocks
    AlignedVector<Real> signs_;  // rows x 2 width: the positive and the negative parts of queries
    AlignedVector<Real> upper_;  // rows x run
    std::vector<Real> norms_;    // of the queries
  };

 private:
  /// One block of one head's keys, not yet with the blocks before it. corner: 2 width numbers.
  void bound(MatrixView<const Real> keys, Index head, Index b, Real* corner);

  Index width_ = 0, blocks_ = 0, heads_ = 0;
  // runs x heads x (2 width) x run: largest, then smallest coordinates
  AlignedVector<Real> corners_;
  AlignedVector<Real> lengths_;  // heads x blocks: the norm of the longest key up to this block
  AlignedVector<Real> sizes_;  // likewise: the norm of the largest absolute coordinates of a block
};

}  // namespace attnspan
