#pragma once

#include <cstdint>
#include <span>

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

struct Spread {
  double mean = 0;
  double min = 0;
  double max = 0;
};

/// All NaN when there is no value.
Spread spread(std::span<const double> values);

}  // namespace attnspan
