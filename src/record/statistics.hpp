#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace attnspan {

struct Interval {
  double low = 0;
  double high = 0;
};

/// successes / samples, NaN when there is no sample.
double share(std::int64_t successes, std::int64_t samples);

/// 95% confidence interval of a proportion: Wilson's score interval (Wilson 1927), which stays
/// within [0, 1] and is honest near its ends, where accuracies live. Without samples it is [0, 1].
Interval wilson(std::int64_t successes, std::int64_t samples);

/// 95% interval of the difference share(a) - share(b) of two independent proportions: Newcombe's
/// hybrid score interval (Newcombe 1998, method 10). Without samples on a side it is [-1, 1].
Interval newcombe(std::int64_t successes_a, std::int64_t samples_a, std::int64_t successes_b,
                  std::int64_t samples_b);

/// The normal quantile of 0.975.
inline constexpr double normal_quantile = 1.959963984540054;

/// Variance of the mean of independent values; 0 for a single one, which does not tell.
double variance_of_mean(std::span<const double> values);

/// 95% interval of the mean over seeds, of which each is one value: Student's t, at least as wide
/// as `sampling`, the interval that the draw of test samples alone gives, and clipped to [minimum,
/// maximum]. With one seed it is `sampling`, which says nothing about training luck. Why t and not
/// a bootstrap: docs/statistics.md.
Interval seed_interval(std::span<const double> values, const Interval& sampling, double minimum,
                       double maximum);

/// One seed that two variants share: the difference of their means, and the variance that the draw
/// of its test samples gives to that difference.
struct PairedSeed {
  double difference = 0;
  double sampling_variance = 0;
};

/// Paired t-test over seeds.
struct PairedTest {
  int seeds = 0;
  double difference = 0;      ///< mean over seeds
  double standard_error = 0;  ///< over seeds, at least that of the draw of test samples
  Interval ci95;              ///< not clipped; with one seed, of the test samples alone
  double p = 1;               ///< two-sided; 1 with fewer than two seeds
};
PairedTest paired_test(std::span<const PairedSeed> seeds);

/// Holm's adjusted p-values (Holm 1979), in the order given.
std::vector<double> holm(std::span<const double> p);

/// Probability that a paired t-test at this two-sided level tells a true difference, `seeds` of
/// which scatter by `deviation` (noncentral t). Precondition: seeds >= 2.
double paired_power(double difference, double deviation, int seeds, double level);

/// The least number of seeds whose power is 0.8; nothing when 1,000 are not enough.
std::optional<int> seeds_needed(double difference, double deviation, double level);

struct Spread {
  double mean = 0;
  double min = 0;
  double max = 0;
};

/// All NaN when there is no value.
Spread spread(std::span<const double> values);

}  // namespace attnspan
