#pragma once

#include <cstdint>
#include <numeric>
#include <span>

#include "core/rng.hpp"

namespace attnspan {

using Position = std::int32_t;

/// Which positions the rows of a sequence get, the same in every layer.
class Positions {
 public:
  /// Strictly increasing positions of the rows of one sequence: 0, 1, 2, ...
  void assign(std::span<Position> positions, Rng& /*rng*/) const {
    std::iota(positions.begin(), positions.end(), Position{0});
  }
};

}  // namespace attnspan
