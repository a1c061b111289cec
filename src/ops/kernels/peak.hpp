#pragma once

#include "ops/kernels/lanes.hpp"

namespace attnspan {
namespace {

/// Sums that do not wait for each other: more than any processor has multiply-adds under way, and
/// no more than there are registers.
constexpr int chains = 12;

constexpr double flops_a_round = 2.0 * chains * vector_bytes / sizeof(float);

double multiply_adds(Index rounds, float start) {
  NativeFloats sums[chains];
  repeat<chains>([&](auto i) ATTNSPAN_INLINE { sums[i] = start * float(i) - NativeFloats{}; });
  // Toward 2: numbers stay of ordinary size.
  const NativeFloats half = 0.5f * start - NativeFloats{}, one = start - NativeFloats{};
  for (Index round = 0; round < rounds; ++round)
    repeat<chains>([&](auto i) ATTNSPAN_INLINE { sums[i] = multiply_add(sums[i], half, one); });
  double total = 0;
  repeat<chains>([&](auto i) ATTNSPAN_INLINE { total += static_cast<double>(sums[i][0]); });
  return total;
}

}  // namespace
}  // namespace attnspan
