#pragma once

#include <Random123/philox.h>

#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/mathematics.hpp"

namespace attnspan {

/// What a random number is for. Streams share no counter, so their numbers are disjoint by
/// construction whatever the seed and sample index.
enum class Stream : std::uint32_t {
  initialization = 0,
  batch_shape = 1,
  train = 2,
  validation = 3,
  test = 4,
  preview = 5,
  benchmark = 6,
  positions = 7,
  words = 8,
  dropout = 9,
};

/// Counter-based random numbers: a pure function of (seed, stream, a, b, draw). Copyable, holds no
/// shared state, costs nothing to create; one Rng per sample. Philox4x32-10 of Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
class Rng {
 public:
  /// `a` (64 bits) and `b` (16 bits) name what is drawn within the stream, e.g. the sample and the
  /// replicate.
  Rng(std::uint64_t seed, Stream stream, std::uint64_t a = 0, std::uint64_t b = 0)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        counter_{{0,
                  static_cast<std::uint32_t>(stream) << 16 | static_cast<std::uint32_t>(b & 0xffff),
                  static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32)}} {}

  std::uint32_t next() {
    if (used_ == 4) {
      block_ = r123::Philox4x32()(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  /// Uniform on 0 .. bound-1, without bias (Lemire 2019). bound > 0.
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold)
        product = std::uint64_t{next()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// Uniform on (0, 1), 32 bits.
  double uniform() { return (next() + 0.5) * 0x1p-32; }

  /// Standard normal (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * math::log(uniform()));
    return radius * math::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  r123::Philox4x32::key_type key_;
  r123::Philox4x32::ctr_type counter_;
  r123::Philox4x32::ctr_type block_{};
  unsigned used_ = 4;
};

}  // namespace attnspan
