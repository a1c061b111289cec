#include "record/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace attnspan {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The normal quantile of 0.975.
constexpr double z = 1.959963984540054;

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

Spread spread(std::span<const double> values) {
  if (values.empty()) return {not_a_number, not_a_number, not_a_number};
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  // Rounding can push the mean of equal values past them.
  return {std::clamp(sum / static_cast<double>(values.size()), *min, *max), *min, *max};
}

}  // namespace attnspan
