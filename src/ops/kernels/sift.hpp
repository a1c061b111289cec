#pragma once

#include "ops/kernels/lanes.hpp"

namespace attnspan {
namespace {

constexpr Index sifted = 16;  // columns of a group

#if defined(__AVX512F__)
/// Newer than AVX-512 itself: sums of four products of bytes in one instruction.
template <int quads>
__attribute__((target("avx512vnni"))) void sift_quads(const std::int8_t* rows,
                                                      const std::int32_t* starts, Index count,
                                                      const std::uint8_t* columns, Index depth,
                                                      Index groups, std::uint16_t* passed) {
  const Index more = quads > 0 ? 0 : depth / 4;
  const __m512i zero = _mm512_setzero_si512();
  for (Index g = 0; g < groups; ++g, columns += sifted * depth) {
    __m512i column[quads > 0 ? quads : 1];
    for (int k = 0; k < quads; ++k) column[k] = _mm512_loadu_si512(columns + k * 64);
    const std::int8_t* row = rows;
    for (Index i = 0; i < count; ++i, row += depth) {
      __m512i sum = _mm512_set1_epi32(starts[i]);
      std::int32_t four;
      for (int k = 0; k < quads; ++k) {
        std::memcpy(&four, row + 4 * k, sizeof four);
        sum = _mm512_dpbusd_epi32(sum, column[k], _mm512_set1_epi32(four));
      }
      for (Index k = 0; k < more; ++k) {
        std::memcpy(&four, row + 4 * k, sizeof four);
        sum =
            _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(columns + k * 64), _mm512_set1_epi32(four));
      }
      passed[i * groups + g] = static_cast<std::uint16_t>(_mm512_cmpgt_epi32_mask(sum, zero));
    }
  }
}

bool sift_pays() { return __builtin_cpu_supports("avx512vnni"); }
#else
bool sift_pays() { return false; }
#endif

void sift(const std::int8_t* rows, const std::int32_t* starts, Index count,
          const std::uint8_t* columns, Index depth, Index groups, std::uint16_t* passed) {
#if defined(__AVX512F__)
  if (sift_pays()) {
    const auto own = depth == 8    ? sift_quads<2>
                     : depth == 16 ? sift_quads<4>
                     : depth == 32 ? sift_quads<8>
                                   : sift_quads<0>;
    return own(rows, starts, count, columns, depth, groups, passed);
  }
#endif
  for (Index i = 0; i < count; ++i)
    for (Index g = 0; g < groups; ++g) {
      unsigned bits = 0;
      for (Index c = 0; c < sifted; ++c) {
        std::int32_t sum = starts[i];
        for (Index k = 0; k < depth; ++k)
          sum += rows[i * depth + k] * columns[(g * depth + k / 4 * 4) * sifted + c * 4 + k % 4];
        bits |= static_cast<unsigned>(sum > 0) << c;
      }
      passed[i * groups + g] = static_cast<std::uint16_t>(bits);
    }
}

}  // namespace
}  // namespace attnspan
