#pragma once

#include "core/mathematics.hpp"
#include "ops/kernels/lanes.hpp"

namespace attnspan {
namespace {

/// exp(x) of floats; relative error below 2^-22, +0 below -87.3 (where the true value is
/// subnormal), saturated above 88; keeps what is not a number. x = k log 2 + r with |r| <=
/// log(2)/2; the polynomial is the Taylor series to r^7, whose remainder is 5e-9 there.
ATTNSPAN_INLINE inline Lanes<float> exponential(const Lanes<float>& x) {
  using L = Lanes<float>;
  constexpr float lowest = -87.3f, highest = 88.0f;
  // Adding 1.5 2^23 leaves the nearest whole number in the low bits.
  const L round = L::all(12582912.0f);
  const L capped = where_above(x, L::all(highest), L::all(highest), x);
  const L bounded = where_above(L::all(lowest), capped, L::all(lowest), capped);
  const L shifted = multiply_add(bounded, L::all(1.44269504088896341f), round);
  const L k = shifted - round;
  const L high = multiply_add(k, L::all(-0.693359375f), bounded);
  const L r = multiply_add(k, L::all(2.12194440e-4f), high);
  L p = L::all(1.0f / 5040);
  p = multiply_add(p, r, L::all(1.0f / 720));
  p = multiply_add(p, r, L::all(1.0f / 120));
  p = multiply_add(p, r, L::all(1.0f / 24));
  p = multiply_add(p, r, L::all(1.0f / 6));
  p = multiply_add(p, r, L::all(0.5f));
  p = multiply_add(p, r, L::all(1.0f));
  p = multiply_add(p, r, L::all(1.0f));
  const L power = by_part<float>([&](int part) ATTNSPAN_INLINE {
    return (NativeFloats)(((NativeInts)shifted.part[part] << 23) + (127 << 23));
  });
  return where_above(L::all(lowest), x, L::all(0), p * power);
}

/// exp(x) of doubles, exact enough for gradient checks.
ATTNSPAN_INLINE inline Lanes<double> exponential(const Lanes<double>& x) {
  double numbers[Lanes<double>::width];
  x.store(numbers);
  for (double& number : numbers) number = math::exp(number);
  return Lanes<double>::load(numbers);
}

}  // namespace
}  // namespace attnspan
