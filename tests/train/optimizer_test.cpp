#include "train/optimizer.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

/// A matrix of 2 x 3 and a row of 4.
std::vector<PlacedTensor> tensors() {
  return {{{"matrix", 2, 3, 0, 1}, 0}, {{"gain", 1, 4, 1, 0}, 6}};
}

double norm_of(const AlignedVector<float>& gradient) {
  return std::sqrt(inner_product_of(gradient, gradient));
}

/// AdamW as its authors write it, in double.
struct ByHand {
  Optimizer::Settings settings;
  std::vector<double> weights, first, second, average;

  void update(const AlignedVector<float>& gradient, double rate, int step) {
    const double norm = norm_of(gradient);
    const double clip = norm > settings.clip ? settings.clip / norm : 1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double g = static_cast<double>(gradient[i]) * clip;
      first[i] = settings.beta1 * first[i] + (1 - settings.beta1) * g;
      second[i] = settings.beta2 * second[i] + (1 - settings.beta2) * g * g;
      const double m = first[i] / (1 - std::pow(settings.beta1, step));
      const double v = second[i] / (1 - std::pow(settings.beta2, step));
      const double decay = i < 6 ? settings.weight_decay : 0;  // the matrix alone
      weights[i] -= rate * (m / (std::sqrt(v) + 1e-8) + decay * weights[i]);
      const double keep = std::min(settings.average, step / (step + 9.0));
      average[i] = keep * average[i] + (1 - keep) * weights[i];
    }
  }
};

}  // namespace

TEST_CASE("learning rates rise in a line and fall along half a cosine", "[unit]") {
  // Peak 2, 10 steps of which 4 warm up, down to a tenth.
  CHECK(scheduled_rate(2, 0, 10, 4, 0.1) == Approx(0.5));
  CHECK(scheduled_rate(2, 1, 10, 4, 0.1) == Approx(1.0));
  CHECK(scheduled_rate(2, 3, 10, 4, 0.1) == Approx(2.0));
  CHECK(scheduled_rate(2, 4, 10, 4, 0.1) == Approx(2.0));
  // A third, half and two thirds of the way: cos 60, 90, 120 degrees.
  CHECK(scheduled_rate(2, 6, 10, 4, 0.1) == Approx(2 * (0.1 + 0.9 * 0.75)));
  CHECK(scheduled_rate(2, 7, 10, 4, 0.1) == Approx(2 * (0.1 + 0.9 * 0.5)));
  CHECK(scheduled_rate(2, 8, 10, 4, 0.1) == Approx(2 * (0.1 + 0.9 * 0.25)));
  CHECK(scheduled_rate(2, 10, 10, 4, 0.1) == Approx(0.2));
  CHECK(scheduled_rate(2, 99, 10, 4, 0.1) == Approx(0.2));
  // Without warm-up, and with nothing but warm-up.
  CHECK(scheduled_rate(1, 0, 10, 0, 0) == Approx(1));
  CHECK(scheduled_rate(1, 9, 10, 10, 0) == Approx(1));
  CHECK(std::isfinite(scheduled_rate(1, 10, 10, 10, 0)));
}

TEST_CASE("AdamW takes the steps that its formulas give", "[unit]") {
  for (const Optimizer::Settings& settings : {Optimizer::Settings{0.9, 0.98, 0.0, 1e9, 0.0},
                                              Optimizer::Settings{0.9, 0.98, 0.1, 1.0, 0.5},
                                              Optimizer::Settings{0.8, 0.95, 0.3, 0.01, 0.999}}) {
    INFO("decay " << settings.weight_decay << ", clip " << settings.clip);
    Rng rng = random_numbers(1);
    Optimizer optimizer(tensors(), 10, settings);
    AlignedVector<float> weights = normal_vector<float>(rng, 10);
    ByHand expected{settings,
                    {weights.begin(), weights.end()},
                    std::vector<double>(10),
                    std::vector<double>(10),
                    std::vector<double>(10)};
    for (int step = 1; step <= 20; ++step) {
      const AlignedVector<float> gradient = normal_vector<float>(rng, 10, step % 3 == 0 ? 5 : 0.2);
      optimizer.update(weights, gradient, norm_of(gradient), 0.01, step - 1);
      expected.update(gradient, 0.01, step);
      CHECK(largest_difference(weights, expected.weights) < 1e-6);
    }
    CHECK(largest_difference(optimizer.first_moment(), expected.first) < 1e-6);
    // Squares of gradients are of size 25: 2^-24 of that a step.
    CHECK(largest_difference(optimizer.second_moment(), expected.second) < 2e-5);
    if (settings.average == 0)
      CHECK(optimizer.average().empty());
    else
      CHECK(largest_difference(optimizer.average(), expected.average) < 1e-6);
  }
}

TEST_CASE("weight decay reaches matrices only", "[unit]") {
  Optimizer optimizer(tensors(), 10, {0.9, 0.98, 0.5, 1.0, 0.0});
  AlignedVector<float> weights(10, 2);
  optimizer.update(weights, AlignedVector<float>(10), 0, 0.1, 0);
  for (std::size_t i = 0; i < 10; ++i) CHECK(weights[i] == Approx(i < 6 ? 2 * 0.95 : 2));
}

TEST_CASE("the first step goes by the rate, whatever the gradient's size", "[unit]") {
  for (const float size : {1e-3f, 1.0f, 1e6f}) {
    Optimizer optimizer(tensors(), 10, {0.9, 0.98, 0.0, 1.0, 0.0});
    AlignedVector<float> weights(10), gradient(10, size);
    gradient[3] = -size;
    optimizer.update(weights, gradient, norm_of(gradient), 0.01, 0);
    CHECK(weights[0] == Approx(-0.01).epsilon(1e-3));
    CHECK(weights[3] == Approx(0.01).epsilon(1e-3));
  }
}

TEST_CASE("lanes are summed, scaled and measured", "[unit]") {
  for (const std::size_t count : {1u, 2u, 3u, 5u, 8u}) {
    INFO(count << " lanes");
    // More numbers than one chunk holds.
    const std::vector<PlacedTensor> large{{{"a", 100, 200, 0, 1}, 0}, {{"b", 1, 7, 0, 1}, 20000}};
    const Optimizer optimizer(large, 20007, {0.9, 0.98, 0, 1, 0});
    Rng rng = random_numbers(2);
    std::vector<AlignedVector<float>> lanes;
    std::vector<double> expected(20007);
    for (std::size_t lane = 0; lane < count; ++lane) {
      lanes.push_back(normal_vector<float>(rng, 20007));
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] += static_cast<double>(lanes.back()[i]) * 0.25;
    }
    const double norm = optimizer.reduce(lanes, 0.25f);
    CHECK(largest_difference(lanes[0], expected) < 1e-6);
    CHECK(norm == Approx(std::sqrt(inner_product_of(expected, expected))).epsilon(1e-6));
  }
}
