#include "core/mathematics.hpp"

#include <functional>
#include <limits>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

// The truth is the C library's long double, which has eleven or more bits beyond a double's.
namespace {

using Long = long double;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// How far a value is from the truth, in units in the last place of the truth as a double.
double units_off(double value, Long truth) {
  const double rounded = static_cast<double>(truth);
  if (!std::isfinite(rounded) || !std::isfinite(value))
    return value == rounded || (std::isnan(value) && std::isnan(rounded)) ? 0 : infinity;
  int exponent = 0;
  std::frexp(rounded, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent - 53, -1074));
  return static_cast<double>(std::abs(static_cast<Long>(value) - truth) / static_cast<Long>(unit));
}

double worst_of(const std::function<double(double)>& ours, const std::function<Long(Long)>& truth,
                const std::function<double(Rng&)>& draw) {
  Rng rng = random_numbers(1);
  double worst = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double x = draw(rng);
    worst = std::max(worst, units_off(ours(x), truth(static_cast<Long>(x))));
  }
  return worst;
}

/// Uniform between two bounds.
auto within(double low, double high) {
  return [=](Rng& rng) { return low + (high - low) * rng.uniform(); };
}

/// Of every magnitude between the exponentials of two bounds; `sign` before it.
auto magnitudes(double low, double high, double sign = 1) {
  return [=](Rng& rng) { return sign * std::exp(low + (high - low) * rng.uniform()); };
}

}  // namespace

TEST_CASE("exponentials are within a unit in the last place", "[property]") {
  const auto exp = [](double x) { return math::exp(x); };
  const auto exp2 = [](double x) { return math::exp2(x); };
  const auto expm1 = [](double x) { return math::expm1(x); };
  const auto true_exp = [](Long x) { return std::exp(x); };
  const auto true_expm1 = [](Long x) { return std::expm1(x); };
  CHECK(worst_of(exp, true_exp, within(-745, 709.7)) <= 1);
  CHECK(worst_of(exp, true_exp, within(-1, 1)) <= 1);
  CHECK(worst_of(
            exp2, [](Long x) { return std::exp2(x); }, within(-1074, 1024)) <= 1);
  CHECK(worst_of(expm1, true_expm1, within(-40, 700)) <= 2);
  CHECK(worst_of(expm1, true_expm1, within(-2, 2)) <= 2);
  CHECK(worst_of(expm1, true_expm1, magnitudes(-40, 0)) <= 2);
}

TEST_CASE("logarithms are within a unit in the last place", "[property]") {
  const auto log = [](double x) { return math::log(x); };
  const auto log1p = [](double x) { return math::log1p(x); };
  const auto true_log = [](Long x) { return std::log(x); };
  const auto true_log1p = [](Long x) { return std::log1p(x); };
  CHECK(worst_of(log, true_log, magnitudes(-744, 709)) <= 1);
  CHECK(worst_of(log, true_log, within(0.5, 2)) <= 1);
  CHECK(worst_of(log, true_log, within(0.999, 1.001)) <= 1);
  CHECK(worst_of(log1p, true_log1p, within(-0.99, 10)) <= 2);
  CHECK(worst_of(log1p, true_log1p, magnitudes(-50, 50)) <= 2);
  CHECK(worst_of(log1p, true_log1p, magnitudes(-50, 0, -1)) <= 2);
}

TEST_CASE("powers are within a unit in the last place, whatever the exponent", "[property]") {
  for (const double y : {0.5, 0.999, 2.0, 10.0, 100.0, 1e4, -3.0}) {
    INFO("x to the " << y);
    CHECK(worst_of([y](double x) { return math::pow(x, y); },
                   [y](Long x) { return std::pow(x, static_cast<Long>(y)); },
                   magnitudes(-700 / std::abs(y), 700 / std::abs(y))) <= 1);
  }
  CHECK(worst_of([](double x) { return math::pow(0.999, x); },
                 [](Long x) { return std::pow(static_cast<Long>(0.999), x); },
                 within(1, 1e5)) <= 1);
}

TEST_CASE("tanh, sine and cosine are as exact as they say", "[property]") {
  const auto tanh = [](double x) { return math::tanh(x); };
  const auto sin = [](double x) { return math::sin(x); };
  const auto cos = [](double x) { return math::cos(x); };
  const auto true_tanh = [](Long x) { return std::tanh(x); };
  const auto true_sin = [](Long x) { return std::sin(x); };
  const auto true_cos = [](Long x) { return std::cos(x); };
  CHECK(worst_of(tanh, true_tanh, within(-25, 25)) <= 3);
  CHECK(worst_of(tanh, true_tanh, magnitudes(-40, 0)) <= 3);
  for (const auto& [function, truth] :
       {std::pair<std::function<double(double)>, std::function<Long(Long)>>{sin, true_sin},
        {cos, true_cos}}) {
    CHECK(worst_of(function, truth, within(-10, 10)) <= 1);
    CHECK(worst_of(function, truth, within(-2147483647, 2147483647)) <= 1);
    CHECK(worst_of(function, truth, magnitudes(-40, 0)) <= 1);
    // Next to a zero of one of the two all digits come from the last parts of pi.
    CHECK(worst_of(function, truth,
                   [](Rng& rng) { return rng.below(1'000'000) * 1.5707963267948966; }) <= 1);
  }
}

TEST_CASE("elementary functions at the ends of their ranges", "[unit]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(math::exp(0.0) == 1);
  CHECK(math::exp(710.0) == infinity);
  CHECK(math::exp(-746.0) == 0);
  CHECK(math::exp(-infinity) == 0);
  CHECK(math::exp2(10.0) == 1024);
  CHECK(math::exp2(-1074.0) == std::numeric_limits<double>::denorm_min());
  CHECK(math::expm1(-infinity) == -1);
  CHECK(math::expm1(infinity) == infinity);
  CHECK(math::log(1.0) == 0);
  CHECK(math::log(0.0) == -infinity);
  CHECK(math::log(infinity) == infinity);
  CHECK(math::log1p(0.0) == 0);
  CHECK(math::log1p(-1.0) == -infinity);
  CHECK(math::pow(2.0, 10.0) == 1024);
  CHECK(math::pow(0.0, 0.5) == 0);
  CHECK(math::pow(0.0, -1.0) == infinity);
  CHECK(math::pow(3.0, 0.0) == 1);
  CHECK(math::pow(0.5, infinity) == 0);
  CHECK(math::pow(2.0, -infinity) == 0);
  CHECK(math::pow(10.0, 400.0) == infinity);
  CHECK(math::pow(10.0, -400.0) == 0);
  CHECK(math::tanh(0.0) == 0);
  CHECK(math::tanh(infinity) == 1);
  CHECK(math::tanh(-infinity) == -1);
  CHECK(math::sin(0.0) == 0);
  CHECK(math::cos(0.0) == 1);
  for (const double x : {math::exp(nan), math::exp2(nan), math::expm1(nan), math::log(nan),
                         math::log(-1.0), math::log1p(nan), math::log1p(-2.0), math::pow(nan, 2.0),
                         math::pow(2.0, nan), math::pow(-1.0, 2.0), math::tanh(nan), math::sin(nan),
                         math::cos(infinity), math::sin(0x1p31)})
    CHECK(std::isnan(x));
}

TEST_CASE("float functions are the double ones, rounded", "[unit]") {
  CHECK(math::exp(1.5f) == static_cast<float>(std::exp(1.5)));
  CHECK(math::log(1.5f) == static_cast<float>(std::log(1.5)));
  CHECK(math::log1p(1.5f) == static_cast<float>(std::log1p(1.5)));
  CHECK(math::tanh(1.5f) == static_cast<float>(std::tanh(1.5)));
  CHECK(math::pow(1.5f, 2.5f) == static_cast<float>(std::pow(1.5, 2.5)));
}
