#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace attnspan {

/// exp(x) for double: the library's, exact enough for gradient checks.
inline double exponential(double x) { return std::exp(x); }

/// exp(x) for float, without branches so that loops over it vectorise; relative error below 2^-22,
/// +0 below -87.3 (where the true value is subnormal), saturated above 88. x = k log 2 + r with
/// |r| <= log(2)/2; the polynomial is the Taylor series to r^7, whose remainder is 5e-9 there.
inline float exponential(float x) {
  constexpr float log2e = 1.44269504088896341f;
  constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;  // high part is exact in k
  constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves round(x) in the low bits
  const float bounded = x > 88.0f ? 88.0f : (x > -87.3f ? x : -87.3f);
  const float shifted = bounded * log2e + round;
  const float k = shifted - round;
  const float r = (bounded - k * log2_high) - k * log2_low;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const auto exponent = std::bit_cast<std::int32_t>(shifted) << 23;
  const float power = std::bit_cast<float>(std::bit_cast<std::int32_t>(p) + exponent);
  return x > -87.3f ? power : (x <= -87.3f ? 0.0f : x);  // the last keeps NaN
}

}  // namespace attnspan
