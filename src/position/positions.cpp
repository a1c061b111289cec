#include "position/positions.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "core/error.hpp"

namespace attnspan {

// Floyd's way to draw without replacement (Bentley and Floyd 1987).
void Positions::assign(std::span<Position> positions, Rng& rng) const {
  if (reach_ == 0) {
    std::iota(positions.begin(), positions.end(), Position{0});
    return;
  }
  const auto count = static_cast<Position>(positions.size());
  if (count > reach_)
    throw InputError("a sequence has " + std::to_string(count) +
                     " tokens, but positions are drawn " + "from " + std::to_string(reach_) +
                     "; raise randomized.");
  std::set<Position> drawn;
  for (Position last = reach_ - count; last < reach_; ++last) {
    const auto draw = static_cast<Position>(rng.below(static_cast<std::uint32_t>(last + 1)));
    drawn.insert(drawn.contains(draw) ? last : draw);
  }
  std::copy(drawn.begin(), drawn.end(), positions.begin());
}

}  // namespace attnspan
