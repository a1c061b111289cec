#pragma once

#include "core/aligned.hpp"

namespace attnspan {

/// How the samples of a batch are divided for its gradient, a sum in a fixed order. The batch falls
/// into units, whose gradients are summed in a binary tree over their numbers, and a unit into
/// micro-batches, which are added up one after the other. All of this depends on the batch alone.
struct BatchDivision {
  /// rows: of each sample.
  BatchDivision(Index batch_size, Index rows);

  Index batch_size;
  Index units;        ///< up to as many threads have work
  Index micro_batch;  ///< most samples whose rows are worked together

  /// The first sample of a unit; the numbers of samples of any two differ by one at most.
  Index begin(Index unit) const { return unit * batch_size / units; }

  bool is_one_micro_batch(Index unit) const { return begin(unit + 1) - begin(unit) <= micro_batch; }

  /// Units that a thread takes at a time, a power of two, so that they are a tree of their own:
  /// their sum is formed where they are, and one gradient a block is left for the end.
  Index block_size(int threads) const;

  /// Gradients that exist at one time at most.
  Index gradients(int threads) const;
};

}  // namespace attnspan
