#pragma once

#include "ops/engine.hpp"
#include "ops/kernels/lanes.hpp"

namespace attnspan {
namespace {

#if defined(__AVX512F__)
/// Newer than AVX-512 itself: sums of four products of bytes in one instruction. What is left of a
/// block's sums are their signs, which two rounds of narrowing bring together in the order of the
/// columns.
template <int quads>
__attribute__((target("avx512vnni,avx512bw"))) void sift_quads(
    const std::int8_t* rows, const std::int32_t* starts, Index count, const std::uint8_t* columns,
    Index depth, Index blocks, std::uint64_t* passed) {
  constexpr bool held = quads > 0;  // in registers
  constexpr Index parts = 4, bytes_of_a_vector = 64;
  const Index each = held ? quads : depth / 4;
  for (Index b = 0; b < blocks; ++b, columns += sifted * depth) {
    __m512i column[held ? quads * parts : 1];
    if constexpr (held)
      for (int n = 0; n < quads * parts; ++n)
        column[n] = _mm512_loadu_si512(columns + n * bytes_of_a_vector);
    const std::int8_t* row = rows;
    for (Index i = 0; i < count; ++i, row += depth) {
      const __m512i start = _mm512_set1_epi32(starts[i]);
      __m512i sum[parts] = {start, start, start, start};
      for (Index k = 0; k < each; ++k) {
        std::int32_t four;
        std::memcpy(&four, row + 4 * k, sizeof four);
        const __m512i bytes = _mm512_set1_epi32(four);
        for (Index part = 0; part < parts; ++part) {
          const Index n = k * parts + part;
          sum[part] = _mm512_dpbusd_epi32(
              sum[part], held ? column[n] : _mm512_loadu_si512(columns + n * bytes_of_a_vector),
              bytes);
        }
      }
      const __m512i signs = _mm512_packs_epi16(_mm512_packs_epi32(sum[0], sum[1]),
                                               _mm512_packs_epi32(sum[2], sum[3]));
      passed[i * blocks + b] = _mm512_movepi8_mask(signs);
    }
  }
}

bool sift_pays() {
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
}
#else
bool sift_pays() { return false; }
#endif

void sift(const std::int8_t* rows, const std::int32_t* starts, Index count,
          const std::uint8_t* columns, Index depth, Index blocks, std::uint64_t* passed) {
#if defined(__AVX512F__)
  if (sift_pays()) {
    const auto own = depth == 8 ? sift_quads<2> : depth == 16 ? sift_quads<4> : sift_quads<0>;
    return own(rows, starts, count, columns, depth, blocks, passed);
  }
#endif
  for (Index i = 0; i < count; ++i)
    for (Index b = 0; b < blocks; ++b) {
      std::uint64_t bits = 0;
      for (Index c = 0; c < sifted; ++c) {
        std::int32_t sum = starts[i];
        for (Index k = 0; k < depth; ++k)
          sum += rows[i * depth + k] * columns[b * sifted * depth + sifted_place(c, k)];
        bits |= static_cast<std::uint64_t>(sum < 0) << c;
      }
      passed[i * blocks + b] = bits;
    }
}

/// First the blocks in which any passes, then the columns of those: most branches on single bits
/// would be guessed wrong.
Index list_passed(const std::uint64_t* passed, Index blocks, std::int32_t* places) {
  std::int32_t some[64 + 16];
  Index count = 0;
#if defined(__AVX512F__)
  const __m512i last_first = _mm512_setr_epi64(6, 7, 4, 5, 2, 3, 0, 1);
  const __m512i steps = _mm512_setr_epi32(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1);
  for (Index first = blocks - 16; first >= 0; first -= 16) {
    const auto any = [&](Index from) {
      const __m512i bits = _mm512_permutexvar_epi64(last_first, _mm512_loadu_si512(passed + from));
      return static_cast<unsigned>(_mm512_test_epi64_mask(bits, bits));
    };
    const unsigned of_both = any(first + 8) | any(first) << 8;
    _mm512_storeu_si512(
        some + count,
        _mm512_maskz_compress_epi32(
            static_cast<__mmask16>(of_both),
            _mm512_add_epi32(_mm512_set1_epi32(static_cast<std::int32_t>(first)), steps)));
    count += __builtin_popcount(of_both);
  }
#else
  for (Index pair = blocks - 2; pair >= 0; pair -= 2)
    for (Index b = pair; b < pair + 2; ++b) {
      some[count] = static_cast<std::int32_t>(b);
      count += passed[b] != 0 ? 1 : 0;
    }
#endif
  Index number = 0;
  for (Index k = 0; k < count; ++k) {
    const std::int32_t first = some[k] * static_cast<std::int32_t>(sifted);
    std::uint64_t columns = passed[some[k]];
    const Index here = __builtin_popcountll(columns);
    const auto next = [&] {
      const std::int32_t place = first + __builtin_ctzll(columns | std::uint64_t{1} << 63);
      columns &= columns - 1;
      return place;
    };
    places[number] = next();
    places[number + 1] = next();  // whether there is one or not
    for (Index n = 2; n < here; ++n) places[number + n] = next();
    number += here;
  }
  return number;
}

}  // namespace
}  // namespace attnspan
