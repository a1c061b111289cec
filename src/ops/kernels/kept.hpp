#pragma once

#include "ops/kernels/product.hpp"
#include "ops/kernels/rows.hpp"

namespace attnspan {
namespace {

/// The scores from `at` on that are above the floor, one after the other.
template <class Real>
Index keep_one_by_one(const Real* scores, const std::int32_t* of, std::int32_t first, Index at,
                      Index count, Real floor, Real* kept, std::int32_t* places, Index number) {
  for (; at < count; ++at) {
    const Real score = scores[at];
    const std::int32_t place = of ? of[at] : first + static_cast<std::int32_t>(at);
    kept[number] = score;
    places[number] = place;
    number += score > floor ? 1 : 0;
  }
  return number;
}

#if defined(__AVX2__) && !defined(__AVX512F__)
/// For each choice of eight lanes the lanes chosen, in order.
struct ChosenLanes {
  std::int32_t of[256][8];
};
constexpr ChosenLanes chosen_lanes = [] {
  ChosenLanes lanes{};
  for (int choice = 0; choice < 256; ++choice)
    for (int lane = 0, to = 0; lane < 8; ++lane)
      if (choice >> lane & 1) lanes.of[choice][to++] = lane;
  return lanes;
}();
#endif

template <class Real>
Index keep_above(const Real* scores, const std::int32_t* of, std::int32_t first, Index count,
                 Real floor, Real* kept, std::int32_t* places) {
  Index number = 0, at = 0;
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 4) {
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 low = _mm512_set1_ps(floor);
    for (; at + 16 <= count; at += 16) {
      const __m512 score = _mm512_loadu_ps(scores + at);
      const __mmask16 above = _mm512_cmp_ps_mask(score, low, _CMP_GT_OQ);
      if (above == 0) continue;
      const __m512i place =
          of ? _mm512_loadu_si512(of + at)
             : _mm512_add_epi32(_mm512_set1_epi32(first + static_cast<std::int32_t>(at)), steps);
      _mm512_storeu_ps(kept + number, _mm512_maskz_compress_ps(above, score));
      _mm512_storeu_si512(places + number, _mm512_maskz_compress_epi32(above, place));
      number += __builtin_popcount(above);
    }
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Real) == 4) {
    const __m256i steps = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 low = _mm256_set1_ps(floor);
    for (; at + 8 <= count; at += 8) {
      const __m256 score = _mm256_loadu_ps(scores + at);
      const int above = _mm256_movemask_ps(_mm256_cmp_ps(score, low, _CMP_GT_OQ));
      if (above == 0) continue;
      __m256i place, lanes;
      if (of)
        std::memcpy(&place, of + at, sizeof place);
      else
        place = _mm256_add_epi32(_mm256_set1_epi32(first + static_cast<std::int32_t>(at)), steps);
      std::memcpy(&lanes, chosen_lanes.of[above], sizeof lanes);
      _mm256_storeu_ps(kept + number, _mm256_permutevar8x32_ps(score, lanes));
      place = _mm256_permutevar8x32_epi32(place, lanes);
      std::memcpy(places + number, &place, sizeof place);
      number += __builtin_popcount(static_cast<unsigned>(above));
    }
  }
#endif
  return keep_one_by_one(scores, of, first, at, count, floor, kept, places, number);
}

template <class Real>
Index keep_products(const Real* vector, Index width, const Real* rows, std::int32_t* places,
                    Index count, Real floor, Real* kept, Real* scratch) {
  constexpr Index lanes = Lanes<Real>::width;
  Index number = 0;
  for (Index first = 0; first < count; first += lanes) {
    const Index here = count - first < lanes ? count - first : lanes;
    const Real* columns[lanes];
    for (Index j = 0; j < lanes; ++j)
      columns[j] = rows + places[first + (j < here ? j : here - 1)] * width;
    pack_transposed(columns, width, scratch);
    auto sum = Lanes<Real>::all(0);
    for (Index j = 0; j < width; ++j)
      sum = multiply_add(Lanes<Real>::all(vector[j]), Lanes<Real>::load(scratch + j * lanes), sum);
    Real products[lanes];
    Lanes<Real>::all(lowest_of_all<Real>).store(products);
    here == lanes ? store(sum, products, Whole{0}) : store(sum, products, Rest{0, here});
    number += keep_above(products, places + first, 0, lanes, floor, kept + number, places + number);
  }
  return number;
}

/// As many numbers as become one vector of doubles.
template <class Real>
struct Widened {
  static constexpr Index width = vector_bytes / static_cast<Index>(sizeof(double));
  typedef Real Narrow __attribute__((vector_size(width * sizeof(Real))));
};

template <class Real>
void add_weighted_rows(const Real* weights, const std::int32_t* places, Index count,
                       const Real* rows, Index stride, Index width, double* sums) {
  using Narrow = typename Widened<Real>::Narrow;
  constexpr Index each = Widened<Real>::width, together = 16, parts = together / each;
  Index j = 0;
  for (; j + together <= width; j += together) {
    NativeDoubles sum[parts];
    repeat<parts>(
        [&](auto p) ATTNSPAN_INLINE { std::memcpy(&sum[p], sums + j + p * each, sizeof sum[p]); });
    for (Index k = 0; k < count; ++k) {
      if (weights[k] == 0) continue;
      const Narrow weight = weights[k] - Narrow{};
      const Real* row = rows + places[k] * stride + j;
      repeat<parts>([&](auto p) ATTNSPAN_INLINE {
        Narrow value;
        std::memcpy(&value, row + p * each, sizeof value);
        sum[p] = sum[p] + __builtin_convertvector(weight * value, NativeDoubles);
      });
    }
    repeat<parts>(
        [&](auto p) ATTNSPAN_INLINE { std::memcpy(sums + j + p * each, &sum[p], sizeof sum[p]); });
  }
  if (j == width) return;
  for (Index k = 0; k < count; ++k) {
    if (weights[k] == 0) continue;
    const Real* row = rows + places[k] * stride;
    for (Index c = j; c < width; ++c) sums[c] += static_cast<double>(weights[k] * row[c]);
  }
}

}  // namespace
}  // namespace attnspan
