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

/// First the groups in which any passes, then the columns of those: most branches on single bits
/// would be guessed wrong.
Index list_passed(const std::uint16_t* passed, Index groups, std::int32_t* places) {
  constexpr Index together = 8;
  Index number = 0;
#if defined(__AVX512F__)
  const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i last_first =
      _mm512_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  const auto all = [](Index same) { return _mm512_set1_epi32(static_cast<std::int32_t>(same)); };
  std::int32_t some[256 + 16];
  Index count = 0;
  for (Index first = groups - 2 * together; first >= 0; first -= 2 * together) {
    __m128i early, late;
    std::memcpy(&early, passed + first, sizeof early);
    std::memcpy(&late, passed + first + together, sizeof late);
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_set_m128i(early, late));
    const __mmask16 any = _mm512_test_epi32_mask(bits, bits);
    _mm512_storeu_si512(some + count,
                        _mm512_maskz_compress_epi32(any, _mm512_add_epi32(all(first), last_first)));
    count += __builtin_popcount(any);
  }
  for (Index k = 0; k < count; ++k) {
    const __mmask16 columns = passed[some[k]];
    _mm512_storeu_si512(
        places + number,
        _mm512_maskz_compress_epi32(columns, _mm512_add_epi32(all(some[k] * sifted), steps)));
    number += __builtin_popcount(columns);
  }
#else
  for (Index first = groups - together; first >= 0; first -= together)
    for (Index g = first; g < first + together; ++g)
      for (unsigned columns = passed[g]; columns != 0; columns &= columns - 1)
        places[number++] = static_cast<std::int32_t>(g * sifted + __builtin_ctz(columns));
#endif
  return number;
}

}  // namespace
}  // namespace attnspan
