// What every normalizer of the catalog must keep, by iterating it: a new one is tested by being
// there.

#include "attention/normalizer.hpp"

#include <cmath>
#include <functional>
#include <numeric>

#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();

AlignedVector<double> learned_numbers(const Normalizer<double>& normalizer, Rng& rng) {
  AlignedVector<double> parameters;
  for (Index index = 0; index < normalizer.parameters_per_head(); ++index)
    parameters.push_back(normalizer.initial_parameter(index) + 0.2 * rng.normal());
  return parameters;
}

/// The weights, and what forward leaves in `state`.
template <class Real>
AlignedVector<Real> weights_of(const Normalizer<Real>& normalizer,
                               const AlignedVector<Real>& parameters,
                               const AlignedVector<Real>& scores,
                               AlignedVector<Real>* state = nullptr) {
  AlignedVector<Real> weights(scores.size(), Real(-1)), kept;
  AlignedVector<Real>& into = state ? *state : kept;
  into.resize(static_cast<std::size_t>(normalizer.state_size()));
  normalizer.forward(parameters.data(), scores.data(), static_cast<Index>(scores.size()),
                     weights.data(), into.data());
  return weights;
}

/// Softmax and alpha-entmax, which map into the probability simplex and know score differences
/// only.
bool is_simplex(const std::string& name) {
  return name == "softmax" || name.rfind("entmax", 0) == 0;
}

/// Calls check(normalizer, parameters, rng) for every normalizer that is `wanted`.
template <class Check>
void for_every_normalizer(
    const Check& check,
    const std::function<bool(const std::string&)>& wanted = [](auto&) { return true; }) {
  REQUIRE(every_normalizer().size() >= 5);
  std::uint64_t name = 0;
  for (const NamedNormalizer& named : every_normalizer()) {
    if (!wanted(named.name)) continue;
    INFO(named.name);
    Rng rng = random_numbers(++name);
    const auto normalizer = named.make<double>();
    check(*normalizer, learned_numbers(*normalizer, rng), rng);
  }
}

/// Random scores, one of them hidden. Near the edge of the support entmax above alpha 2 rises like
/// a root, and no step is small enough for differences: of a few draws the one farthest from an
/// edge.
AlignedVector<double> scores_away_from_edges(const Normalizer<double>& normalizer,
                                             const AlignedVector<double>& parameters, Rng& rng,
                                             Index count, double spread) {
  AlignedVector<double> best;
  double best_least = -1;
  for (int draw = 0; draw < 20; ++draw) {
    AlignedVector<double> scores = normal_vector(rng, count, spread);
    if (count >= 5) scores[3] = nothing;
    double least = 1;
    for (const double weight : weights_of(normalizer, parameters, scores))
      if (weight > 0) least = std::min(least, weight);
    if (least <= best_least) continue;
    best_least = least;
    best = std::move(scores);
  }
  return best;
}

}  // namespace

// Kinks within the step are told by check_gradient.
TEST_CASE("gradient of every normalizer", "[gradient]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, AlignedVector<double> parameters, Rng& rng) {
        for (const Index count : {1, 2, 5, 17, 70})
          for (const double spread : {0.3, 1.5}) {
            INFO(count << " scores with deviation " << spread);
            AlignedVector<double> scores =
                scores_away_from_edges(normalizer, parameters, rng, count, spread);
            const AlignedVector<double> weights = weights_of(normalizer, parameters, scores);
            const AlignedVector<double> dweights = normal_vector(rng, count);
            AlignedVector<double> dscores = dweights, dparameters(parameters.size());
            normalizer.backward(parameters.data(), scores.data(), weights.data(), count,
                                dscores.data(), dparameters.data());
            const auto loss = [&] {
              return inner_product_of(weights_of(normalizer, parameters, scores), dweights);
            };
            if (count >= 5) CHECK(dscores[3] == 0);
            check_gradient("the scores", scores, dscores, rng, loss, true);
            if (!parameters.empty())
              check_gradient("its parameters", parameters, dparameters, rng, loss, true);
          }
      });
}

TEST_CASE("weights are never negative, and exactly 0 for hidden keys", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        for (int repeat = 0; repeat < 20; ++repeat) {
          AlignedVector<double> scores = normal_vector(rng, 50, 3);
          for (int hidden = 0; hidden < 10; ++hidden) scores[rng.below(49)] = nothing;
          const AlignedVector<double> weights = weights_of(normalizer, parameters, scores);
          for (std::size_t j = 0; j < weights.size(); ++j) {
            REQUIRE(weights[j] >= 0);
            REQUIRE(std::isfinite(weights[j]));
            if (scores[j] == nothing) REQUIRE(weights[j] == 0);
          }
        }
      });
}

TEST_CASE("a score that is not a number has no place among the largest", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        AlignedVector<double> scores = normal_vector(rng, 50, 1);
        for (std::size_t j = 0; j < scores.size(); j += 3)
          scores[j] = std::numeric_limits<double>::quiet_NaN();
        for (const double weight : weights_of(normalizer, parameters, scores))
          CHECK(std::isnan(weight));
      },
      [](const std::string& name) { return name.starts_with("top-k"); });
}

TEST_CASE("rebuilt weights are those of the forward pass", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        for (const Index count : {1, 3, 64, 333}) {
          AlignedVector<double> scores = normal_vector(rng, count, 2);
          if (count > 3) scores[1] = nothing;
          AlignedVector<double> state, rebuilt(scores.size(), -1);
          const AlignedVector<double> weights = weights_of(normalizer, parameters, scores, &state);
          normalizer.rebuild(parameters.data(), scores.data(), count, state.data(), rebuilt.data());
          CHECK(largest_difference(weights, rebuilt) < 1e-15);
        }
      });
}

TEST_CASE("rows together have the weights and states of rows one by one", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        constexpr Index rows = 21, keys = 40;
        Dense<double> scores = normal_matrix<double>(rng, rows, keys, 2);
        std::vector<Index> counts;
        for (Index i = 0; i < rows; ++i) {
          counts.push_back(1 + (7 * i) % keys);
          if (counts.back() > 3) scores(i, i % 3) = nothing;
        }
        Dense<double> weights(rows, keys), states(rows, normalizer.state_size());
        normalizer.forward_rows(parameters.data(), scores.view(), counts, weights.view(),
                                states.view());
        for (Index i = 0; i < rows; ++i) {
          const Index count = counts[static_cast<std::size_t>(i)];
          AlignedVector<double> state;
          const AlignedVector<double> alone = weights_of(
              normalizer, parameters, {scores.view().row(i), scores.view().row(i) + count}, &state);
          CHECK(std::equal(alone.begin(), alone.end(), weights.view().row(i)));
          CHECK(std::equal(state.begin(), state.end(), states.view().row(i)));
        }
      });
}

TEST_CASE("counting equal keys gives the weights of listing them", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        if (!normalizer.countable()) return;
        for (int repeat = 0; repeat < 20; ++repeat) {
          AlignedVector<double> scores = normal_vector(rng, 12, 2), copies(12), listed;
          for (std::size_t j = 0; j < 12; ++j) {
            copies[j] = rng.below(4) * rng.below(60);  // often none
            if (j == 5) copies[j] = 1;
            for (double copy = 0; copy < copies[j]; ++copy) listed.push_back(scores[j]);
          }
          // A key that is absent must not matter, however high it scores.
          copies[2] = 0;
          listed.erase(std::remove(listed.begin(), listed.end(), scores[2]), listed.end());
          scores[2] = 1000;
          AlignedVector<double> counted(12, -1);
          normalizer.counted(parameters.data(), scores.data(), copies.data(), 12, counted.data());
          const AlignedVector<double> weights = weights_of(normalizer, parameters, listed);
          AlignedVector<double> summed(12);
          std::size_t at = 0;
          for (std::size_t j = 0; j < 12; ++j)
            for (double copy = 0; copy < copies[j]; ++copy) summed[j] += weights[at++];
          REQUIRE(at == listed.size());
          CHECK(largest_difference(counted, summed) < 1e-12);
        }
      });
}

TEST_CASE("weights move with their keys where the order does not matter", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        if (!normalizer.countable()) return;
        const AlignedVector<double> scores = normal_vector(rng, 100, 2);
        std::vector<std::size_t> order(scores.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t j = order.size() - 1; j > 0; --j)
          std::swap(order[j], order[rng.below(static_cast<std::uint32_t>(j + 1))]);
        AlignedVector<double> shuffled(scores.size()), expected(scores.size());
        const AlignedVector<double> weights = weights_of(normalizer, parameters, scores);
        for (std::size_t j = 0; j < order.size(); ++j) {
          shuffled[j] = scores[order[j]];
          expected[j] = weights[order[j]];
        }
        CHECK(largest_difference(weights_of(normalizer, parameters, shuffled), expected) < 1e-14);
      });
}

TEST_CASE("softmax and entmax rows sum to 1 and do not change with a shift", "[property]") {
  for_every_normalizer(
      [](const Normalizer<double>& normalizer, const AlignedVector<double>& parameters, Rng& rng) {
        for (const Index count : {1, 2, 10, 500})
          for (const double spread : {0.01, 1.0, 30.0, 1e4}) {
            INFO(count << " scores with deviation " << spread);
            AlignedVector<double> scores = normal_vector(rng, count, spread);
            const AlignedVector<double> weights = weights_of(normalizer, parameters, scores);
            CHECK(std::accumulate(weights.begin(), weights.end(), 0.0) ==
                  Approx(1).epsilon(0).margin(1e-12));
            // A power of two and scores that stay exact: the shift itself rounds by 2^-52 max(|z|).
            for (double& score : scores) score += 1024;
            CHECK(largest_difference(weights_of(normalizer, parameters, scores), weights) < 1e-8);
          }
      },
      is_simplex);
}
