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
  BatchPacker(const Positions& positions, std::uint64_t seed)
      : positions_(positions), seed_(seed) {}

  /// Empties `batch`.
  void clear(PackedBatch& batch) const;

  /// `identity` names the sample for randomized positions.
  void add(const Sample& sample, std::uint64_t identity, PackedBatch& batch) const;

 private:
  Positions positions_;
  std::uint64_t seed_;
};

}  // namespace attnspan
