#include "record/statistics.hpp"

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace attnspan {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

constexpr double z = normal_quantile;

constexpr double wanted_power = 0.8;
constexpr int most_seeds = 1000;

/// In double, so that no processor computes in longer numbers than another.
using Double = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
using StudentT = boost::math::students_t_distribution<double, Double>;
using NoncentralT = boost::math::non_central_t_distribution<double, Double>;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_error(std::span<const double> values) {
  return std::sqrt(variance_of_mean(values));
}

/// Of 0.975, for the mean of `count` values.
double t_quantile(std::size_t count) {
  return boost::math::quantile(StudentT(static_cast<double>(count - 1)), 0.975);
}

}  // namespace

double share(std::int64_t successes, std::int64_t samples) {
  return samples > 0 ? static_cast<double>(successes) / static_cast<double>(samples) : not_a_number;
}

Interval wilson(std::int64_t successes, std::int64_t samples) {
  if (samples <= 0) return {0, 1};
  const double n = static_cast<double>(samples);
  const double k = static_cast<double>(successes);
  const double center = (k + z * z / 2) / (n + z * z);
  const double half = z / (n + z * z) * std::sqrt(k * (n - k) / n + z * z / 4);
  // The ends are exact there, and must not miss 0 and 1 by rounding.
  return {successes == 0 ? 0 : center - half, successes == samples ? 1 : center + half};
}

Interval newcombe(std::int64_t successes_a, std::int64_t samples_a, std::int64_t successes_b,
                  std::int64_t samples_b) {
  if (samples_a <= 0 || samples_b <= 0) return {-1, 1};
  const double a = share(successes_a, samples_a);
  const double b = share(successes_b, samples_b);
  const Interval around_a = wilson(successes_a, samples_a);
  const Interval around_b = wilson(successes_b, samples_b);
  return {a - b - std::hypot(a - around_a.low, around_b.high - b),
          a - b + std::hypot(around_a.high - a, b - around_b.low)};
}

double variance_of_mean(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double n = static_cast<double>(values.size());
  const double center = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return sum / (n - 1) / n;
}

Interval seed_interval(std::span<const double> values, const Interval& sampling, double minimum,
                       double maximum) {
  Interval interval = sampling;
  if (values.size() > 1) {
    const double center = mean(values);
    const double half = t_quantile(values.size()) * standard_error(values);
    interval = {std::min(interval.low, center - half), std::max(interval.high, center + half)};
  }
  return {std::clamp(interval.low, minimum, maximum), std::clamp(interval.high, minimum, maximum)};
}

PairedTest paired_test(std::span<const PairedSeed> seeds) {
  PairedTest test;
  test.seeds = static_cast<int>(seeds.size());
  if (seeds.empty()) return test;
  std::vector<double> differences;
  double variance = 0;
  for (const PairedSeed& seed : seeds) {
    differences.push_back(seed.difference);
    variance += seed.sampling_variance;
  }
  test.difference = mean(differences);
  const double sampling = std::sqrt(variance) / static_cast<double>(seeds.size());
  test.standard_error = std::max(sampling, standard_error(differences));
  const double half = test.standard_error * (test.seeds > 1 ? t_quantile(seeds.size()) : z);
  test.ci95 = {test.difference - half, test.difference + half};
  if (test.seeds < 2 || test.difference == 0) return test;
  // Without any scatter a difference is certain.
  const double t = std::abs(test.difference) / test.standard_error;
  test.p = std::isfinite(t)
               ? 2 * boost::math::cdf(boost::math::complement(StudentT(test.seeds - 1), t))
               : 0;
  return test;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(p.size() - rank) * p[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

double paired_power(double difference, double deviation, int seeds, double level) {
  if (difference == 0) return level;
  const double noncentrality = std::abs(difference) / deviation * std::sqrt(seeds);
  const double critical =
      boost::math::quantile(boost::math::complement(StudentT(seeds - 1), level / 2));
  // Certain, and out of the series' reach.
  if (!(noncentrality < critical + 30)) return 1;
  const NoncentralT t(seeds - 1, noncentrality);
  return boost::math::cdf(boost::math::complement(t, critical)) + boost::math::cdf(t, -critical);
}

std::optional<int> seeds_needed(double difference, double deviation, double level) {
  const auto is_enough = [&](int seeds) {
    return paired_power(difference, deviation, seeds, level) >= wanted_power;
  };
  if (difference == 0 || !is_enough(most_seeds)) return std::nullopt;
  int too_few = 1, enough = most_seeds;
  while (enough - too_few > 1) {
    const int middle = (too_few + enough) / 2;
    (is_enough(middle) ? enough : too_few) = middle;
  }
  return enough;
}

Spread spread(std::span<const double> values) {
  if (values.empty()) return {not_a_number, not_a_number, not_a_number};
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  // Rounding can push the mean of equal values past them.
  return {std::clamp(sum / static_cast<double>(values.size()), *min, *max), *min, *max};
}

}  // namespace attnspan
