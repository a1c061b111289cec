#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attention/normalizer.hpp"
#include "support/catch.hpp"
#include "support/naive.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

/// alpha-entmax from the catalog; alpha 1 is softmax.
template <class Real>
std::unique_ptr<Normalizer<Real>> entmax(double alpha) {
  return normalizer_of(alpha == 1 ? "softmax" : "entmax:" + shortest(alpha))
      .make<Real>(usual_shape);
}

template <class Real>
AlignedVector<Real> weights_of(const Normalizer<Real>& normalizer, const std::vector<double>& z) {
  const AlignedVector<Real> scores(z.begin(), z.end());
  AlignedVector<Real> weights(z.size()), state(static_cast<std::size_t>(normalizer.state_size()));
  normalizer.forward(nullptr, scores.data(), static_cast<Index>(z.size()), weights.data(),
                     state.data());
  return weights;
}

template <class Real>
AlignedVector<Real> weights_of(double alpha, const std::vector<double>& z) {
  return weights_of<Real>(*entmax<Real>(alpha), z);
}

std::vector<double> normal_scores(Rng& rng, Index count, double deviation) {
  const AlignedVector<double> numbers = normal_vector(rng, count, deviation);
  return {numbers.begin(), numbers.end()};
}

double sum_of(const AlignedVector<float>& weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

/// Calls check(alpha, z, p, dp, dz) for every recorded case.
template <class Check>
void for_every_golden_case(const Check& check) {
  for (const char* name : {"entmax.json", "entmax_large_alpha.json"}) {
    std::ifstream file(std::string(ATTNSPAN_GOLDEN "/") + name);
    const auto golden = nlohmann::json::parse(file);
    REQUIRE(golden.at("cases").size() >= 30);
    for (const auto& recorded : golden.at("cases")) {
      const auto numbers = [&](const char* key) {
        return recorded.at(key).get<std::vector<double>>();
      };
      const auto alpha = recorded.at("alpha").get<double>();
      INFO("alpha " << alpha << ", " << numbers("z").size() << " scores");
      check(alpha, numbers("z"), numbers("p"), numbers("dp"), numbers("dz"));
    }
  }
}

template <class Real>
void check_golden(double bound) {
  for_every_golden_case([&](double alpha, const std::vector<double>& z,
                            const std::vector<double>& p, const std::vector<double>& dp,
                            const std::vector<double>& dz) {
    const auto normalizer = entmax<Real>(alpha);
    const AlignedVector<Real> weights = weights_of<Real>(*normalizer, z);
    CHECK(largest_difference(weights, p) < bound);
    const AlignedVector<Real> scores(z.begin(), z.end());
    AlignedVector<Real> gradient(dp.begin(), dp.end());
    normalizer->backward(nullptr, scores.data(), weights.data(), static_cast<Index>(z.size()),
                         gradient.data(), nullptr);
    double size = 1;
    for (const double slope : dz) size = std::max(size, std::abs(slope));
    CHECK(largest_difference(gradient, dz) < bound * size);
  });
}

}  // namespace

TEST_CASE("entmax has the recorded weights and gradients", "[golden]") {
  check_golden<double>(2e-12);
}

// Scores of a few units keep 2^-22 of their value in float, and weights and gradients of alpha up
// to 3 magnify that by 1/(2p) at worst.
TEST_CASE("entmax has the recorded weights and gradients in float", "[golden]") {
  check_golden<float>(5e-5);
}

TEST_CASE("entmax rows have exact zeros, where the oracle has them", "[property]") {
  Rng rng = random_numbers(1);
  for (const double alpha : {1.2, 1.5, 1.8, 2.0, 3.0}) {
    INFO("alpha " << alpha);
    int zeros = 0;
    for (int repeat = 0; repeat < 20; ++repeat) {
      const std::vector<double> z = normal_scores(rng, 64, 3);
      const AlignedVector<double> weights = weights_of<double>(alpha, z);
      const std::vector<double> expected = naive::entmax(alpha, z);
      CHECK(largest_difference(weights, expected) < 1e-9);
      for (std::size_t j = 0; j < z.size(); ++j) {
        if (expected[j] == 0) CHECK(weights[j] < 1e-12);
        zeros += weights[j] == 0 ? 1 : 0;
      }
      // Keys 1/(alpha-1) below the largest or farther are exactly 0.
      const double largest = *std::max_element(z.begin(), z.end());
      for (std::size_t j = 0; j < z.size(); ++j)
        if (z[j] <= largest - 1 / (alpha - 1)) REQUIRE(weights[j] == 0);
    }
    CHECK(zeros > 300);
  }
}

TEST_CASE("1.5-entmax equals a bisection in long double", "[property]") {
  Rng rng = random_numbers(2);
  for (const Index count : {1, 2, 3, 10, 100, 3000})
    for (const double spread : {1e-6, 0.1, 1.0, 10.0, 1e4}) {
      INFO(count << " scores with deviation " << spread);
      const std::vector<double> z = normal_scores(rng, count, spread);
      CHECK(largest_difference(weights_of<double>(1.5, z), naive::entmax(1.5, z)) <
            1e-14 * std::max(100.0, spread));
    }
}

TEST_CASE("sparsemax is the projection onto the simplex", "[property]") {
  Rng rng = random_numbers(3);
  for (const Index count : {1, 2, 3, 10, 100, 3000})
    for (const double spread : {1e-6, 0.1, 1.0, 10.0, 1e4}) {
      INFO(count << " scores with deviation " << spread);
      const std::vector<double> z = normal_scores(rng, count, spread);
      CHECK(largest_difference(weights_of<double>(2, z), naive::simplex_projection(z)) <
            1e-14 * std::max(100.0, spread));
    }
}

// Of n equal scores tau is -n^(1-alpha), 1e-378 for a million and alpha 64.
TEST_CASE("entmax keeps ties equal, and they sum to 1", "[property]") {
  const auto check = [](auto zero, double alpha, std::size_t count) {
    using Real = decltype(zero);
    INFO("alpha " << alpha << ", " << count << " equal scores of " << sizeof(Real) << " bytes");
    const AlignedVector<Real> weights = weights_of<Real>(alpha, std::vector<double>(count, -3.25));
    const double share = 1.0 / static_cast<double>(count);
    bool equal = true;
    for (const Real weight : weights) equal = equal && weight == weights[0];
    CHECK(equal);
    CHECK(weights[0] == Approx(share).epsilon(sizeof(Real) == 4 ? 1e-6 : 1e-11));
  };
  for (const double alpha : {1.0001, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 64.0})
    for (const std::size_t count : {2u, 7u, 1000u, 65536u, 1000000u}) {
      check(float{}, alpha, count);
      check(double{}, alpha, count);
    }
}

// d/d alpha of alpha-entmax is bounded where the support is full, so the distance to softmax falls
// in proportion to alpha - 1.
TEST_CASE("entmax goes to softmax as alpha goes to 1", "[property]") {
  Rng rng = random_numbers(4);
  for (int repeat = 0; repeat < 10; ++repeat) {
    const std::vector<double> z = normal_scores(rng, 30, 2);
    const std::vector<double> limit = naive::softmax(z);
    double previous = 1;
    for (const double step : {0.1, 0.01, 0.001, 0.0001}) {
      const double distance = largest_difference(weights_of<double>(1 + step, z), limit);
      CHECK(distance < 5 * step);
      CHECK(distance < previous / 5);
      previous = distance;
    }
  }
}

TEST_CASE("long float rows sum to 1", "[property]") {
  constexpr Index count = 65536;
  constexpr double bound = 1e-6;
  Rng rng = random_numbers(5);
  for (const double alpha : {1.0, 1.2, 1.5, 2.0, 5.0, 64.0}) {
    INFO("alpha " << alpha);
    const auto check = [&](const std::string& kind, const std::vector<double>& z) {
      INFO(kind);
      const AlignedVector<float> weights = weights_of<float>(alpha, z);
      CHECK(sum_of(weights) == Approx(1).epsilon(0).margin(bound));
      for (const float weight : weights) REQUIRE(weight >= 0);
    };
    check("all equal", std::vector<double>(count, 0.3));
    check("nearly equal", normal_scores(rng, count, 1e-5));
    check("usual", normal_scores(rng, count, 1));
    check("spread", normal_scores(rng, count, 10));
    check("large", normal_scores(rng, count, 1e4));

    std::vector<double> peaked = normal_scores(rng, count, 1);
    peaked[1234] = 1e4;
    check("peaked", peaked);
    CHECK(weights_of<float>(alpha, peaked)[1234] == 1);

    std::vector<double> hidden = normal_scores(rng, count, 1);
    for (Index j = 0; j < count - 3; ++j) hidden[static_cast<std::size_t>(j)] = naive::nothing;
    check("three of them visible", hidden);
  }
}

TEST_CASE("float entmax equals the double one within its rounding", "[property]") {
  Rng rng = random_numbers(6);
  for (const double alpha : {1.2, 1.5, 2.0, 64.0})
    for (const Index count : {2, 30, 1000, 20000})
      for (const double spread : {0.1, 1.0, 5.0}) {
        INFO("alpha " << alpha << ", " << count << " scores with deviation " << spread);
        std::vector<double> z = normal_scores(rng, count, spread);
        for (double& score : z) score = static_cast<float>(score);
        CHECK(largest_difference(weights_of<float>(alpha, z), weights_of<double>(alpha, z)) < 2e-6);
      }
}

TEST_CASE("a model that diverged shows it in its weights", "[unit]") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double alpha : {1.0, 1.3, 1.5, 2.0, 4.0, 64.0}) {
    INFO("alpha " << alpha);
    const AlignedVector<double> weights = weights_of<double>(alpha, {0.5, infinity, -1, infinity});
    CHECK(std::any_of(weights.begin(), weights.end(), [](double w) { return !std::isfinite(w); }));
  }
}
