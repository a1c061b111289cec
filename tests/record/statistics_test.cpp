#include "record/statistics.hpp"

#include <cmath>
#include <vector>

#include "core/files.hpp"
#include "record/json.hpp"
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

namespace {

/// Worked out by scipy; tests/golden/make_statistics.py writes it.
Json golden() {
  const std::string path = std::string(ATTNSPAN_GOLDEN) + "/statistics.json";
  return parse_json(read_file(path, 1 << 20), path, false);
}

/// An interval so narrow that it bounds nothing.
Interval no_wider(double value) { return {value, value}; }

}  // namespace

TEST_CASE("Intervals over seeds are scipy's", "[golden]") {
  const Json all = golden();
  for (const Json& item : all["intervals"]) {
    const auto values = item["values"].get<std::vector<double>>();
    const Interval interval = seed_interval(values, no_wider(values[0]), -100, 100);
    CHECK(interval.low == Approx(item["ci95"][0].get<double>()).epsilon(1e-9));
    CHECK(interval.high == Approx(item["ci95"][1].get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("An interval over seeds is clipped and never narrower than the test samples'", "[unit]") {
  const std::vector<double> equal{1, 1, 1};
  CHECK(seed_interval(equal, {0.98, 1}, 0, 1).low == 0.98);
  const std::vector<double> wide{0, 1};
  CHECK(seed_interval(wide, {0.4, 0.6}, 0, 1).low == 0);
  CHECK(seed_interval(wide, {0.4, 0.6}, 0, 1).high == 1);
  const std::vector<double> one{0.5};
  CHECK(seed_interval(one, {0.4, 0.6}, 0, 1).low == 0.4);
  CHECK(seed_interval(one, {0.4, 0.6}, 0, 1).high == 0.6);
}

TEST_CASE("A paired test is scipy's", "[golden]") {
  const Json all = golden();
  for (const Json& item : all["paired"]) {
    std::vector<PairedSeed> seeds;
    for (std::size_t i = 0; i < item["a"].size(); ++i)
      seeds.push_back({item["a"][i].get<double>() - item["b"][i].get<double>(), 0});
    const PairedTest test = paired_test(seeds);
    CHECK(test.seeds == static_cast<int>(seeds.size()));
    CHECK(test.p == Approx(item["p"].get<double>()).epsilon(1e-9));
    CHECK(test.ci95.low == Approx(item["ci95"][0].get<double>()).epsilon(1e-9));
    CHECK(test.ci95.high == Approx(item["ci95"][1].get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("The standard error is never below that of the test samples", "[unit]") {
  // 0.1 and 0.1 by 0.04 in variance: sqrt(0.08) / 2.
  const std::vector<PairedSeed> seeds{{0.1, 0.04}, {0.1, 0.04}};
  CHECK(paired_test(seeds).standard_error == Approx(std::sqrt(0.02)));
  const std::vector<PairedSeed> certain(3, {1, 0});
  CHECK(paired_test(certain).p == 0);
  const std::vector<PairedSeed> equal(3, {0, 0});
  CHECK(paired_test(equal).p == 1);
  CHECK(paired_test({}).seeds == 0);
  const std::vector<PairedSeed> one{{0.5, 0.01}};
  CHECK(paired_test(one).p == 1);
  CHECK(paired_test(one).ci95.low == Approx(0.5 - 0.196).epsilon(1e-4));
}

TEST_CASE("Holm's adjustment is numpy's", "[golden]") {
  const Json all = golden();
  for (const Json& item : all["holm"]) {
    const std::vector<double> adjusted = holm(item["p"].get<std::vector<double>>());
    const auto expected = item["adjusted"].get<std::vector<double>>();
    REQUIRE(adjusted.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(adjusted[i] == Approx(expected[i]));
  }
}

TEST_CASE("Power and the seeds it takes are scipy's", "[golden]") {
  const Json all = golden();
  for (const Json& item : all["power"])
    CHECK(paired_power(item["difference"], item["deviation"], item["seeds"], item["level"]) ==
          Approx(item["power"].get<double>()).epsilon(1e-6));
  for (const Json& item : all["needed"])
    CHECK(seeds_needed(item["difference"], item["deviation"], item["level"]) ==
          item["seeds"].get<int>());
  CHECK(seeds_needed(0, 1, 0.05) == std::nullopt);
  CHECK(seeds_needed(1e-6, 1, 0.05) == std::nullopt);
  CHECK(seeds_needed(1, 0, 0.05) == 2);
  CHECK(paired_power(1, 1e-300, 3, 0.05) == 1);
}
