#pragma once

#include <cstdint>
#include <span>

#include "core/rng.hpp"

namespace attnspan {

using Position = std::int32_t;

/// Which positions the rows of a sequence get, the same in every layer: 0, 1, 2, ..., or a sorted
/// draw without replacement from 0 .. reach-1, anew for every sequence, in training as at
/// evaluation (Ruoss et al. 2023, arXiv 2305.16843).
class Positions {
 public:
  /// reach 0: nothing is drawn.
  explicit Positions(Position reach = 0) : reach_(reach) {}

  /// The longest sequence that there are positions for; 0: any.
  Position reach() const { return reach_; }

  /// Strictly increasing positions of the rows of one sequence. Throws InputError where it is
  /// longer than the reach.
  void assign(std::span<Position> positions, Rng& rng) const;

 private:
  Position reach_;
};

}  // namespace attnspan
