#include "core/mathematics.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace attnspan::math {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// 1/n!, the coefficients of all three power series below.
constexpr auto inverse_factorial = [] {
  std::array<double, 21> values{};
  double factorial = 1;  // exact to 20!
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (n > 1) factorial *= static_cast<double>(n);
    values[n] = 1 / factorial;
  }
  return values;
}();

/// 1/(2n + 1), those of the inverse hyperbolic tangent.
constexpr auto inverse_odd = [] {
  std::array<double, 12> values{};
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = 1 / (2 * static_cast<double>(n) + 1);
  return values;
}();

/// A number in two parts, the second what the first leaves over: twice the digits (Dekker 1971).
struct Twin {
  double high, low;
};

/// a + b, |a| >= |b|.
Twin sum(double a, double b) {
  const double high = a + b;
  return {high, b - (high - a)};
}

/// a b.
Twin product(double a, double b) {
  constexpr double split = 0x1p27 + 1;
  const double high = a * b;
  const double a_high = a * split - (a * split - a), a_low = a - a_high;
  const double b_high = b * split - (b * split - b), b_low = b - b_high;
  return {high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

Twin product(Twin a, Twin b) {
  const Twin exact = product(a.high, b.high);
  return sum(exact.high, exact.low + (a.high * b.low + a.low * b.high));
}

constexpr Twin log2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
// The first 32 bits of it: a product with a whole number below 2^21 is exact.
constexpr double log2_short = 0x1.62e42feep-1, log2_rest = 0x1.a39ef35793c76p-33;

/// x 2^k for normal x of magnitude around 1, whatever the k; rounds once where the result is
/// subnormal.
double scaled(double x, int k) {
  const auto power = [](int exponent) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
  };
  if (k > 1000) return x * power(k - 1000) * 0x1p1000;
  if (k < -1000) return x * power(k + 1000) * 0x1p-1000;
  return x * power(k);
}

/// The nearest whole number, of |x| < 2^31.
double nearest(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

/// (exp(r) - 1 - r) / r^2 for |r| <= 0.36.
double exponential_tail(double r) {
  double tail = 0;
  for (std::size_t n = 14; n >= 2; --n) tail = tail * r + inverse_factorial[n];
  return tail;
}

/// exp(high + low) 2^k, |high| <= 0.36 and |low| at most half a unit in the last place of it.
double exponential(double high, double low, int k) {
  return scaled(1 + (high + (high * high * exponential_tail(high) + low)), k);
}

/// m in [sqrt(1/2), sqrt(2)) and k with x = m 2^k, x > 0 and finite.
double mantissa(double x, int& k) {
  k = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    k = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t root_half = 0x3fe6a09e00000000;
  const auto exponent = static_cast<std::int64_t>(bits - root_half) >> 52;
  k += static_cast<int>(exponent);
  return std::bit_cast<double>(bits - (static_cast<std::uint64_t>(exponent) << 52));
}

/// sum of z^n / (2n + 1) from n = first on, z <= 0.0295: with z = s^2, s times the whole sum is the
/// inverse hyperbolic tangent of s.
template <std::size_t first>
double series(double z) {
  double total = 0;
  for (std::size_t n = inverse_odd.size(); n-- > first;) total = total * z + inverse_odd[n];
  return total;
}

/// log(x) with 70 or so digits of two, x > 0 and finite: 2 atanh(s) with s = (m - 1) / (m + 1).
Twin precise_log(double x) {
  int k;
  const double m = mantissa(x, k);
  const double f = m - 1;
  const Twin divisor = sum(2, f);
  const double quotient = f / divisor.high;
  const Twin back = product(quotient, divisor.high);
  const Twin s =
      sum(quotient, ((f - back.high) - back.low - quotient * divisor.low) / divisor.high);
  const Twin square = product(s, s);
  const Twin cube = product(square, s);
  const Twin third = product(cube, {0x1.5555555555555p-1, 0x1.5555555555555p-55});  // 2/3
  const double rest = 2 * cube.high * square.high * series<2>(square.high);
  const Twin whole = product({static_cast<double>(k), 0}, log2);
  // From the largest term to the smallest; with k = 0 the first is exactly 0.
  const Twin upper = k == 0 ? Twin{2 * s.high, 0} : sum(whole.high, 2 * s.high);
  const Twin both = sum(upper.high, third.high);
  return sum(both.high, both.low + upper.low + (2 * s.low + whole.low + third.low + rest));
}

}  // namespace

double exp(double x) {
  if (!(x < 709.8)) return x > 0 ? infinity : x;
  if (x < -745.2) return 0;
  const double k = nearest(x / log2.high);
  const double high = x - k * log2_short, low = k * log2_rest;
  const double r = high - low;
  return exponential(r, (high - r) - low, static_cast<int>(k));
}

double exp2(double x) {
  if (!(x < 1024)) return x > 0 ? infinity : x;
  if (x < -1075.5) return 0;
  const double k = nearest(x);
  const Twin r = product({x - k, 0}, log2);
  return exponential(r.high, r.low, static_cast<int>(k));
}

double expm1(double x) {
  if (!(x < 709.8)) return x > 0 ? infinity : x;
  if (x < -40) return -1;
  const double k = nearest(x / log2.high);
  const double high = x - k * log2_short, low = k * log2_rest;
  const double r = high - low;
  const double part = r + (r * r * exponential_tail(r) + ((high - r) - low));  // exp(r) - 1
  if (k == 0) return part;
  if (k > 60) return scaled(1 + part, static_cast<int>(k));
  const double power = scaled(1, static_cast<int>(k));
  return power * part + (power - 1);
}

double log(double x) {
  if (!(x > 0)) return x == 0 ? -infinity : not_a_number;
  if (x == infinity) return x;
  int k;
  const double f = mantissa(x, k) - 1;
  // 2 atanh(s) with s = f / (2 + f), so 2 s = f - s f: the exact f comes first.
  const double s = f / (2 + f), z = s * s;
  const double correction = s * (f - 2 * z * series<1>(z));
  const double whole = static_cast<double>(k);
  return whole * log2_short + (f - (correction - whole * log2_rest));
}

double log1p(double x) {
  if (!(x > -1)) return x == -1 ? -infinity : not_a_number;
  if (x == infinity) return x;
  const double y = 1 + x;
  if (y == 1) return x;
  const double lost = y < 2 ? x - (y - 1) : 1 - (y - x);
  return log(y) + lost / y;
}

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (!(x >= 0) || y != y) return not_a_number;
  if (x == 0) return y > 0 ? 0 : infinity;
  if (x == infinity) return y > 0 ? infinity : 0;
  if (y == infinity || y == -infinity) return (x > 1) == (y > 0) ? infinity : 0;
  const Twin log_x = precise_log(x);
  if (!(std::abs(log_x.high * y) < 746)) return (log_x.high > 0) == (y > 0) ? infinity : 0;
  const Twin exponent = product(log_x, {y, 0});
  const double k = nearest(exponent.high / log2.high);
  const double high = exponent.high - k * log2_short;
  const Twin r = sum(high, exponent.low - k * log2_rest);
  return exponential(r.high, r.low, static_cast<int>(k));
}

double tanh(double x) {
  const double size = std::abs(x);
  if (size > 22) return x > 0 ? 1 : -1;
  const double growth = expm1(2 * size);
  const double value = growth / (growth + 2);
  return x < 0 ? -value : (x > 0 ? value : x);
}

namespace {

/// x = quarters pi/2 + high + low.
struct Angle {
  double high, low;
  int quarter;  // 0 .. 3
};

Angle reduced(double x) {
  // pi/2 in three parts; 2^31 times the error of the last is below 2^-120.
  constexpr double first = 0x1.921fb54442d18p+0, second = 0x1.1a62633145c07p-54,
                   third = -0x1.f1976b7ed8fbcp-110;
  const double quarters = nearest(x / first);
  const Twin a = product(quarters, first), b = product(quarters, second);
  const double high = x - a.high;  // exact: the two are equal to a factor of 2
  // What is left is high - a.low - b.high - b.low - quarters third.
  const Twin top = std::abs(high) > std::abs(a.low) ? sum(high, -a.low) : sum(-a.low, high);
  const Twin middle =
      std::abs(top.high) > std::abs(b.high) ? sum(top.high, -b.high) : sum(-b.high, top.high);
  const Twin result = sum(middle.high, middle.low + (top.low - b.low - quarters * third));
  return {result.high, result.low, static_cast<int>(static_cast<std::int64_t>(quarters) & 3)};
}

double sine_of(const Angle& angle) {
  const double r = angle.high, z = r * r;
  double tail = 0;  // (sin(r) - r) / r^3
  for (std::size_t n = 19; n >= 3; n -= 2)
    tail = tail * z + (n % 4 == 1 ? inverse_factorial[n] : -inverse_factorial[n]);
  return r + (r * z * tail + angle.low * (1 - z / 2));
}

double cosine_of(const Angle& angle) {
  const double r = angle.high, z = r * r;
  double tail = 0;  // (cos(r) - 1 + r^2/2) / r^4
  for (std::size_t n = 20; n >= 4; n -= 2)
    tail = tail * z + (n % 4 == 0 ? inverse_factorial[n] : -inverse_factorial[n]);
  const double near = 1 - z / 2;
  return near + (((1 - near) - z / 2) + (z * z * tail - r * angle.low));
}

bool reducible(double x) { return std::abs(x) < 0x1p31; }

}  // namespace

double sin(double x) {
  if (!reducible(x)) return not_a_number;
  const Angle angle = reduced(x);
  const double value = angle.quarter % 2 == 0 ? sine_of(angle) : cosine_of(angle);
  return angle.quarter < 2 ? value : -value;
}

double cos(double x) {
  if (!reducible(x)) return not_a_number;
  const Angle angle = reduced(x);
  const double value = angle.quarter % 2 == 0 ? cosine_of(angle) : sine_of(angle);
  return angle.quarter == 0 || angle.quarter == 3 ? value : -value;
}

}  // namespace attnspan::math
