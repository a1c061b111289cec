// Values of the small operations against numbers worked out apart from them.

#include <cmath>
#include <limits>

#include "ops/cross_entropy.hpp"
#include "ops/gelu.hpp"
#include "ops/largest.hpp"
#include "ops/rmsnorm.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

TEST_CASE("rmsnorm divides by the root mean square", "[unit]") {
  const Dense<double> x = [] {
    Dense<double> m(2, 2);
    m.numbers = {3, 4, 0, 0};
    return m;
  }();
  const double gain[] = {1, 10};
  Dense<double> y(2, 2);
  double inverse_rms[2];
  rmsnorm<double>(x.view(), gain, y.view(), inverse_rms);
  // sqrt((9 + 16) / 2) = 3.5355339
  CHECK(y(0, 0) == Approx(3 / 3.5355339059).epsilon(1e-6));
  CHECK(y(0, 1) == Approx(40 / 3.5355339059).epsilon(1e-6));
  CHECK(inverse_rms[0] == Approx(1 / 3.5355339059).epsilon(1e-6));
  CHECK(y(1, 0) == 0);
  CHECK(y(1, 1) == 0);
}

// A stream that has outgrown float is a model gone bad; it must show in the loss, not turn into a
// row of zeros.
TEST_CASE("rmsnorm of numbers whose squares overflow is not a number", "[unit]") {
  Dense<float> x(1, 4, 1e30f);
  const float gain[] = {1, 1, 1, 1};
  Dense<float> y(1, 4);
  float inverse_rms[1];
  rmsnorm<float>(x.view(), gain, y.view(), inverse_rms);
  for (const float value : y.numbers) CHECK_FALSE(std::isfinite(value));
}

TEST_CASE("gelu has the values of its tanh form", "[unit]") {
  // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), to ten digits.
  const double x[] = {-3, -1, -0.5, 0, 0.5, 1, 3};
  const double expected[] = {-0.0036373921, -0.1588080094, -0.1542859902, 0,
                             0.3457140098,  0.8411919906,  2.9963626079};
  double y[7];
  gelu(x, 7, y);
  for (int i = 0; i < 7; ++i) CHECK(y[i] == Approx(expected[i]).epsilon(0).margin(1e-9));

  const float far[] = {-50, 50};
  float far_y[2];
  gelu(far, 2, far_y);
  CHECK(std::abs(far_y[0]) < 1e-30f);
  CHECK(far_y[1] == 50);
}

TEST_CASE("cross entropy is the sum of -log softmax at the targets", "[unit]") {
  Dense<double> logits(2, 3);
  logits.numbers = {0, 0, 0, 1, 2, 3};
  const std::int32_t targets[] = {1, 2};
  // log 3 = 1.0986122887; log(e^-2 + e^-1 + 1) = 0.4076059644
  CHECK(cross_entropy<double>(logits.view(), targets) ==
        Approx(1.0986122887 + 0.4076059644).epsilon(0).margin(1e-9));
  CHECK(logits(0, 0) == Approx(1.0 / 3));
  CHECK(logits(0, 1) == Approx(-2.0 / 3));
  CHECK(logits(1, 0) == Approx(0.0900305732).epsilon(1e-8));
  CHECK(logits(1, 2) == Approx(0.6652409558 - 1).epsilon(1e-8));
}

TEST_CASE("cross entropy keeps large logits finite and NaN a NaN", "[unit]") {
  Dense<float> logits(1, 2);
  logits.numbers = {1e30f, 0};
  const std::int32_t right[] = {0}, wrong[] = {1};
  Dense<float> copy = logits;
  CHECK(cross_entropy<float>(copy.view(), right) == 0);
  copy = logits;
  CHECK(cross_entropy<float>(copy.view(), wrong) == Approx(1e30));
  copy = logits;
  copy(0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(std::isfinite(cross_entropy<float>(copy.view(), right)));
}

TEST_CASE("argmax finds the first of the largest, and refuses what is not finite", "[unit]") {
  const float ties[] = {1, 3, 2, 3};
  CHECK(argmax(ties, 4) == 1);
  const float negative[] = {-5, -2, -9};
  CHECK(argmax(negative, 3) == 1);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()})
    for (int at = 0; at < 3; ++at) {
      float values[] = {1, 2, 3};
      values[at] = bad;
      CHECK(argmax(values, 3) == -1);
    }
}

TEST_CASE("the largest of none is minus infinity, and absent keys do not count", "[unit]") {
  constexpr double nothing = -std::numeric_limits<double>::infinity();
  const double values[] = {1, 5, nothing, 3};
  const double copies[] = {2, 0, 1, 1};
  CHECK(largest_of(values, 4) == 5);
  CHECK(largest_of(values, 0) == nothing);
  CHECK(largest_present(values, copies, 4) == 3);
}
