#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "ops/matrix.hpp"

// For the kernels alone, which are compiled once for each instruction set. Everything is local to
// the file that includes it: of two copies of a shared inline function the linker keeps one, and
// that one might need a newer processor.

#define ATTNSPAN_INLINE __attribute__((always_inline))

namespace attnspan {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

typedef float NativeFloats __attribute__((vector_size(vector_bytes)));
typedef double NativeDoubles __attribute__((vector_size(vector_bytes)));
typedef std::int32_t NativeInts __attribute__((vector_size(vector_bytes)));

/// a b + c, rounded once wherever the instruction set can.
ATTNSPAN_INLINE inline NativeFloats multiply_add(NativeFloats a, NativeFloats b, NativeFloats c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_NEON)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

ATTNSPAN_INLINE inline NativeDoubles multiply_add(NativeDoubles a, NativeDoubles b,
                                                  NativeDoubles c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(a, b, c);
#elif defined(__ARM_NEON)
  return vfmaq_f64(c, a, b);
#else
  return a * b + c;
#endif
}

ATTNSPAN_INLINE inline NativeFloats square_root(NativeFloats a) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(a);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(a);
#elif defined(__ARM_NEON)
  return vsqrtq_f32(a);
#else
  return _mm_sqrt_ps(a);
#endif
}

ATTNSPAN_INLINE inline NativeDoubles square_root(NativeDoubles a) {
#if defined(__AVX512F__)
  return _mm512_sqrt_pd(a);
#elif defined(__AVX2__)
  return _mm256_sqrt_pd(a);
#elif defined(__ARM_NEON)
  return vsqrtq_f64(a);
#else
  return _mm_sqrt_pd(a);
#endif
}

template <class Real>
struct Native;
template <>
struct Native<float> {
  using Vector = NativeFloats;
};
template <>
struct Native<double> {
  using Vector = NativeDoubles;
};

template <int... indices, class Body>
ATTNSPAN_INLINE inline void repeat(std::integer_sequence<int, indices...>, const Body& body) {
  (body(std::integral_constant<int, indices>{}), ...);
}

/// body(0), body(1), ... written out: GCC keeps an array in registers only where every index is a
/// constant from the start, which a loop's is not.
template <int count, class Body>
ATTNSPAN_INLINE inline void repeat(const Body& body) {
  repeat(std::make_integer_sequence<int, count>{}, body);
}

/// Sixteen floats or eight doubles: as many vectors of the instruction set as hold 64 bytes. What
/// is worked out with them does not depend on the instruction set, multiply_add's rounding apart.
template <class Real>
struct Lanes {
  using Vector = typename Native<Real>::Vector;
  static constexpr Index width = 64 / static_cast<Index>(sizeof(Real));
  static constexpr int parts = 64 / vector_bytes;
  static constexpr Index part_width = vector_bytes / static_cast<Index>(sizeof(Real));

  Vector part[parts];

  ATTNSPAN_INLINE static Lanes all(Real value) {
    Lanes lanes;
    repeat<parts>([&](auto p) ATTNSPAN_INLINE { lanes.part[p] = value - Vector{}; });
    return lanes;
  }

  ATTNSPAN_INLINE static Lanes load(const Real* from) {
    Lanes lanes;
    repeat<parts>([&](auto p) ATTNSPAN_INLINE {
      std::memcpy(&lanes.part[p], from + p * part_width, vector_bytes);
    });
    return lanes;
  }

  ATTNSPAN_INLINE void store(Real* to) const {
    repeat<parts>(
        [&](auto p) ATTNSPAN_INLINE { std::memcpy(to + p * part_width, &part[p], vector_bytes); });
  }
};

template <class Real, class Function>
ATTNSPAN_INLINE inline Lanes<Real> by_part(const Function& function) {
  Lanes<Real> result;
  repeat<Lanes<Real>::parts>([&](auto p) ATTNSPAN_INLINE { result.part[p] = function(p); });
  return result;
}

template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> operator+(const Lanes<Real>& a, const Lanes<Real>& b) {
  return by_part<Real>([&](int p) ATTNSPAN_INLINE { return a.part[p] + b.part[p]; });
}
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> operator-(const Lanes<Real>& a, const Lanes<Real>& b) {
  return by_part<Real>([&](int p) ATTNSPAN_INLINE { return a.part[p] - b.part[p]; });
}
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> operator*(const Lanes<Real>& a, const Lanes<Real>& b) {
  return by_part<Real>([&](int p) ATTNSPAN_INLINE { return a.part[p] * b.part[p]; });
}
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> operator/(const Lanes<Real>& a, const Lanes<Real>& b) {
  return by_part<Real>([&](int p) ATTNSPAN_INLINE { return a.part[p] / b.part[p]; });
}

template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> multiply_add(const Lanes<Real>& a, const Lanes<Real>& b,
                                                const Lanes<Real>& c) {
  return by_part<Real>(
      [&](int p) ATTNSPAN_INLINE { return multiply_add(a.part[p], b.part[p], c.part[p]); });
}

template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> square_root(const Lanes<Real>& a) {
  return by_part<Real>([&](int p) ATTNSPAN_INLINE { return square_root(a.part[p]); });
}

/// a > b ? yes : no, lane by lane.
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> where_above(const Lanes<Real>& a, const Lanes<Real>& b,
                                               const Lanes<Real>& yes, const Lanes<Real>& no) {
  return by_part<Real>(
      [&](int p) ATTNSPAN_INLINE { return a.part[p] > b.part[p] ? yes.part[p] : no.part[p]; });
}

/// The larger, and b where one is not a number.
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> larger(const Lanes<Real>& a, const Lanes<Real>& b) {
  return where_above(a, b, a, b);
}

/// Lanes 0 and 8, 1 and 9, ... then 0 and 4, ... then 0 and 2, ... joined by the operation.
template <class Real, class Operation>
ATTNSPAN_INLINE inline Real joined(const Lanes<Real>& lanes, const Operation& operation) {
  typedef Real Quarter __attribute__((vector_size(16)));
  Quarter quarter[4];
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 4) {
    quarter[0] = _mm512_extractf32x4_ps(lanes.part[0], 0);
    quarter[1] = _mm512_extractf32x4_ps(lanes.part[0], 1);
    quarter[2] = _mm512_extractf32x4_ps(lanes.part[0], 2);
    quarter[3] = _mm512_extractf32x4_ps(lanes.part[0], 3);
  } else {
    std::memcpy(quarter, &lanes, sizeof quarter);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Real) == 4) {
    quarter[0] = _mm256_extractf128_ps(lanes.part[0], 0);
    quarter[1] = _mm256_extractf128_ps(lanes.part[0], 1);
    quarter[2] = _mm256_extractf128_ps(lanes.part[1], 0);
    quarter[3] = _mm256_extractf128_ps(lanes.part[1], 1);
  } else {
    std::memcpy(quarter, &lanes, sizeof quarter);
  }
#else
  repeat<4>([&](auto p) ATTNSPAN_INLINE { quarter[p] = lanes.part[p]; });
#endif
  const Quarter four =
      operation(operation(quarter[0], quarter[2]), operation(quarter[1], quarter[3]));
  if constexpr (sizeof(Real) == 8) {
    return operation(four, Quarter{four[1], four[0]})[0];
  } else {
    const Quarter two = operation(four, __builtin_shufflevector(four, four, 2, 3, 0, 1));
    return operation(two, __builtin_shufflevector(two, two, 1, 0, 3, 2))[0];
  }
}

/// The sum of the lanes, always in the same order.
template <class Real>
ATTNSPAN_INLINE inline Real sum_of(const Lanes<Real>& lanes) {
  return joined(lanes, [](auto a, auto b) ATTNSPAN_INLINE { return a + b; });
}

template <class Real>
ATTNSPAN_INLINE inline Real largest_of(const Lanes<Real>& lanes) {
  return joined(lanes, [](auto a, auto b) ATTNSPAN_INLINE { return a > b ? a : b; });
}

/// Where in an array whole lanes stand.
struct Whole {
  Index at;
};

/// Where the last, incomplete lanes stand; the others neither read nor written.
struct Rest {
  Index at, count;
};

template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> load(const Real* from, Whole place, Real /*others*/ = 0) {
  return Lanes<Real>::load(from + place.at);
}

template <class Real>
ATTNSPAN_INLINE inline void store(const Lanes<Real>& lanes, Real* to, Whole place) {
  lanes.store(to + place.at);
}

#if defined(__AVX2__) && !defined(__AVX512F__)
/// Sixteen masks that let pass, sixteen that do not.
alignas(64) const std::int32_t passing[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                              -1, -1, -1, -1, -1, 0,  0,  0,  0,  0,  0,
                                              0,  0,  0,  0,  0,  0,  0,  0,  0,  0};

/// The masks of a part of which `count` numbers are left, in units of the width of a number.
template <class Real>
ATTNSPAN_INLINE inline __m256i mask_of(Index count, Index part) {
  constexpr Index scale = sizeof(Real) / 4;
  const Index before = (count - part * Lanes<Real>::part_width) * scale;
  const Index bounded = before < 0 ? 0 : (before > 8 ? 8 : before);
  __m256i mask;
  std::memcpy(&mask, passing + 16 - bounded, sizeof mask);
  return mask;
}
#endif

/// The rest of an array, with `others` in the lanes beyond it.
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> load(const Real* from, Rest place, Real others = 0) {
#if defined(__AVX512F__)
  Lanes<Real> lanes = Lanes<Real>::all(others);
  const auto mask = (1u << place.count) - 1;
  if constexpr (sizeof(Real) == 4)
    lanes.part[0] =
        _mm512_mask_loadu_ps(lanes.part[0], static_cast<__mmask16>(mask), from + place.at);
  else
    lanes.part[0] =
        _mm512_mask_loadu_pd(lanes.part[0], static_cast<__mmask8>(mask), from + place.at);
  return lanes;
#elif defined(__AVX2__)
  const Lanes<Real> fill = Lanes<Real>::all(others);
  return by_part<Real>([&](int p) ATTNSPAN_INLINE {
    const __m256i mask = mask_of<Real>(place.count, p);
    const Real* start = from + place.at + p * Lanes<Real>::part_width;
    if constexpr (sizeof(Real) == 4)
      return _mm256_blendv_ps(fill.part[p], _mm256_maskload_ps(start, mask),
                              _mm256_castsi256_ps(mask));
    else
      return _mm256_blendv_pd(fill.part[p], _mm256_maskload_pd(start, mask),
                              _mm256_castsi256_pd(mask));
  });
#else
  Real numbers[Lanes<Real>::width];
  for (Index j = 0; j < Lanes<Real>::width; ++j)
    numbers[j] = j < place.count ? from[place.at + j] : others;
  return Lanes<Real>::load(numbers);
#endif
}

template <class Real>
ATTNSPAN_INLINE inline void store(const Lanes<Real>& lanes, Real* to, Rest place) {
#if defined(__AVX512F__)
  const auto mask = (1u << place.count) - 1;
  if constexpr (sizeof(Real) == 4)
    _mm512_mask_storeu_ps(to + place.at, static_cast<__mmask16>(mask), lanes.part[0]);
  else
    _mm512_mask_storeu_pd(to + place.at, static_cast<__mmask8>(mask), lanes.part[0]);
#else
  // In pieces of 8, 4, 2 and 1: AMD's masked stores of AVX2 are slow.
  Real numbers[Lanes<Real>::width];
  lanes.store(numbers);
  const Real* from = numbers;
  to += place.at;
  repeat<4>([&](auto p) ATTNSPAN_INLINE {
    constexpr Index piece = 8 >> p;
    if ((place.count & piece) == 0) return;
    std::memcpy(to, from, piece * sizeof(Real));
    to += piece;
    from += piece;
  });
#endif
}

/// Calls body(place) for all of an array of `count` numbers, lanes after lanes.
template <class Real, class Body>
ATTNSPAN_INLINE inline void for_lanes(Index count, const Body& body) {
  constexpr Index width = Lanes<Real>::width;
  Index at = 0;
  for (; at + width <= count; at += width) body(Whole{at});
  if (at < count) body(Rest{at, count - at});
}

}  // namespace
}  // namespace attnspan
