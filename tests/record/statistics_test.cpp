#include "record/statistics.hpp"

#include <cmath>
#include <vector>

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("Wilson intervals equal published ones", "[unit]") {
  struct Published {
    std::int64_t successes, samples;
    double low, high;
  };
  // 81/263, 15/148, 0/20 and 1/29: table I of Newcombe, Statistics in Medicine 17 (1998) 857-872.
  const Published published[] = {
      {10, 10, 0.7225, 1.0000},  {0, 10, 0.0000, 0.2775},   {50, 100, 0.4038, 0.5962},
      {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611},
      {1, 29, 0.0061, 0.1718},
  };
  for (const Published& row : published) {
    INFO(row.successes << " of " << row.samples);
    const Interval interval = wilson(row.successes, row.samples);
    CHECK(interval.low == Approx(row.low).margin(0.00005));
    CHECK(interval.high == Approx(row.high).margin(0.00005));
  }
}

TEST_CASE("A Wilson interval holds its share and stays within 0 and 1", "[property]") {
  for (std::int64_t samples = 1; samples <= 60; ++samples)
    for (std::int64_t successes = 0; successes <= samples; ++successes) {
      const Interval interval = wilson(successes, samples);
      const double p = share(successes, samples);
      const bool inside =
          0 <= interval.low && interval.low <= p && p <= interval.high && interval.high <= 1;
      if (!inside) FAIL(successes << " of " << samples);
      const Interval mirrored = wilson(samples - successes, samples);
      if (std::abs(mirrored.low - (1 - interval.high)) > 1e-12)
        FAIL("not symmetric at " << successes << " of " << samples);
    }
  CHECK(wilson(0, 7).low == 0);
  CHECK(wilson(7, 7).high == 1);
}

TEST_CASE("Without samples nothing is known", "[unit]") {
  CHECK(std::isnan(share(0, 0)));
  CHECK(wilson(0, 0).low == 0);
  CHECK(wilson(0, 0).high == 1);
  CHECK(newcombe(0, 0, 3, 4).low == -1);
  CHECK(newcombe(3, 4, 0, 0).high == 1);
  CHECK(std::isnan(spread({}).mean));
}

TEST_CASE("Newcombe intervals equal published ones", "[unit]") {
  struct Published {
    std::int64_t a, m, b, n;
    double low, high;
  };
  // Table II, method 10, of Newcombe, Statistics in Medicine 17 (1998) 873-890.
  const Published published[] = {
      {56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090},
      {10, 10, 0, 10, 0.6075, 1.0000},  {0, 10, 0, 10, -0.2775, 0.2775},
      {5, 56, 0, 29, -0.0381, 0.1926},
  };
  for (const Published& row : published) {
    INFO(row.a << "/" << row.m << " - " << row.b << "/" << row.n);
    const Interval interval = newcombe(row.a, row.m, row.b, row.n);
    CHECK(interval.low == Approx(row.low).margin(0.00005));
    CHECK(interval.high == Approx(row.high).margin(0.00005));
    const Interval swapped = newcombe(row.b, row.n, row.a, row.m);
    CHECK(swapped.low == Approx(-interval.high).margin(1e-12));
  }
}

TEST_CASE("A spread is mean, least and most", "[unit]") {
  const Spread spread_of_three = spread(std::vector<double>{0.5, 1, 0});
  CHECK(spread_of_three.mean == 0.5);
  CHECK(spread_of_three.min == 0);
  CHECK(spread_of_three.max == 1);
  const Spread equal = spread(std::vector<double>{0.1, 0.1, 0.1});
  CHECK(equal.mean <= equal.max);
}
