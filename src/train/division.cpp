#include "train/division.hpp"

#include <algorithm>
#include <bit>

namespace attnspan {
namespace {

/// Rows that are worked together: enough to make the matrix products efficient, few enough for the
/// activations of one layer to stay in the second-level cache.
constexpr Index micro_batch_rows = 256;

/// Small batches are divided all the same, for sixteen cores to have work; large ones no further,
/// since every unit costs a pass over all weights.
constexpr Index fewest_units = 16, most_units = 64;

Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

Index power_of_two_from(Index least) {
  return static_cast<Index>(std::bit_ceil(static_cast<std::size_t>(least)));
}

}  // namespace

BatchDivision::BatchDivision(Index batch_size_, Index rows) : batch_size(batch_size_) {
  const Index full = divide_up(batch_size * rows, micro_batch_rows);
  units = std::min(batch_size, power_of_two_from(std::clamp(full, fewest_units, most_units)));
  const Index samples = divide_up(batch_size, units);
  const Index most = std::clamp<Index>(micro_batch_rows / rows, 1, samples);
  micro_batch = divide_up(samples, divide_up(samples, most));
}

Index BatchDivision::block_size(int threads) const {
  if (threads == 1) return power_of_two_from(units);
  const auto most_of_a_thread = [&](Index size) {
    return divide_up(divide_up(units, size), threads) * size;
  };
  // A second unit adds to the gradient of the first while that is in the cache: two at a time where
  // no thread gets more of them thereby (on 16 cores a step takes 3 to 6 percent less).
  Index size = most_of_a_thread(2) <= most_of_a_thread(1) ? 2 : 1;
  // Threads that come later, or are slower, leave some of their share to the others.
  constexpr Index blocks_each = 4;
  while (2 * size * blocks_each * threads <= units) size *= 2;
  return size;
}

Index BatchDivision::gradients(int threads) const {
  const Index size = block_size(threads), blocks = divide_up(units, size);
  const auto levels = static_cast<Index>(std::bit_width(static_cast<std::size_t>(size)));
  return blocks + levels * std::min<Index>(threads, blocks);
}

}  // namespace attnspan
