#pragma once

#include <cstdint>
#include <vector>

#include "model/transformer.hpp"
#include "task/task.hpp"

namespace attnspan {

/// Stacks samples as model inputs: the last token of a sample is never an input, and rows after the
/// last answer row are left out. Positions are the model's, drawn from Stream::positions where it
/// draws them.
class BatchPacker {
 public:
  BatchPacker(const Positions& positions, std::uint64_t seed, int replicate = 0)
      : positions_(positions), seed_(seed), replicate_(replicate) {}

  /// Empties `batch`.
  void clear(PackedBatch& batch) const;

  /// `identity` names the sample for randomized positions and for dropout. Positions do not depend
  /// on the replicate: the samples of one step, and of one test, have the same in every seed.
  void add(const Sample& sample, std::uint64_t identity, PackedBatch& batch) const;

 private:
  Positions positions_;
  std::uint64_t seed_;
  int replicate_;
};

}  // namespace attnspan
