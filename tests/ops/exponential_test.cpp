#include "ops/exponential.hpp"

#include <limits>

#include "support/catch.hpp"

using attnspan::exponential;

TEST_CASE("float exponential is within 2^-22 of the true value", "[property]") {
  double worst = 0;
  for (double x = -87.29; x <= 88; x += 1.7e-4) {
    const auto rounded = static_cast<float>(x);
    const double truth = std::exp(static_cast<double>(rounded));
    worst = std::max(worst, std::abs(static_cast<double>(exponential(rounded)) / truth - 1));
  }
  CHECK(worst < 0x1p-22);
}

TEST_CASE("float exponential is exactly 1 at 0 and never falls", "[property]") {
  CHECK(exponential(0.0f) == 1);
  CHECK(exponential(-0.0f) == 1);
  // A hair of a step back at a seam of the polynomial would be an error of one unit in the last
  // place; more would be a wrong power of two.
  float previous = 0;
  for (float x = -90; x < 90; x += 0.001f) {
    const float value = exponential(x);
    REQUIRE(value >= previous * (1 - 0x1p-22f));
    previous = value;
  }
}

TEST_CASE("float exponential saturates and keeps NaN", "[unit]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(exponential(-infinity) == 0);
  CHECK(exponential(-1e30f) == 0);
  CHECK(exponential(-88.0f) == 0);
  CHECK_FALSE(std::signbit(exponential(-infinity)));
  CHECK(std::isfinite(exponential(infinity)));
  CHECK(exponential(infinity) == exponential(88.0f));
  CHECK(exponential(1e30f) == exponential(88.0f));
  CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("double exponential is the library's", "[unit]") {
  for (const double x : {-700.0, -1.0, 0.0, 0.5, 700.0}) CHECK(exponential(x) == std::exp(x));
}
