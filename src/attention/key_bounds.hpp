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

  /// Takes the bounds of every head's keys: tokens x (heads width). Spreads over the
  /// threads.
  void take(ConstMatrixView<Real> keys, Index heads);

  /// Bounds on the scores of a tile of queries with every block of one head's keys.
  class Tile {
   public:
    /// queries: rows x width, those of this head.
    void bound(const KeyBounds& keys, Index head, ConstMatrixView<Real> queries, Index blocks);

    /// No score of this row with a key of the block, biases of at most `bias` added, is above this,
    /// however it is rounded; not a number where a key or a query is not.
    Real here(Index row, Index of_block, Real bias) const {
      return upper_[static_cast<std::size_t>(row * blocks_ + of_block)] +
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

    Index blocks_ = 0;
    Real rounding_ = 0;
    const Real *lengths_ = nullptr, *sizes_ = nullptr;  // of the head's blocks
    AlignedVector<Real> signs_;  // rows x 2 width: the positive and the negative parts of queries
    AlignedVector<Real> upper_;  // rows x blocks
    std::vector<Real> norms_;    // of the queries
  };

 private:
  Index width_ = 0, blocks_ = 0;
  AlignedVector<Real> corners_;  // heads x (2 width) x blocks: largest, then smallest coordinates
  AlignedVector<Real> lengths_;  // heads x blocks: the norm of the longest key up to this block
  AlignedVector<Real> sizes_;  // likewise: the norm of the largest absolute coordinates of a block
};

}  // namespace attnspan
