#include "record/metric.hpp"

#include <cmath>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("Counts add up, and none is the zero of it", "[unit]") {
  Counts first{10, 4, 20, 13, -3.5, {}};
  Counts second{5, 1, 10, 6, -1.25, std::vector<DepthCount>(10)};
  second.depth[3] = {5, 1};
  first.add(second);
  CHECK(first.samples == 15);
  CHECK(first.exact == 5);
  CHECK(first.answer_tokens == 30);
  CHECK(first.right_tokens == 19);
  CHECK(first.log_likelihood == -4.75);
  REQUIRE(first.depth.size() == 10);
  CHECK(first.depth[3].samples == 5);
  first.add({});
  CHECK(first.samples == 15);
  CHECK(first.depth[3].exact == 1);
}

TEST_CASE("Metrics are what their names say, in their direction", "[unit]") {
  const Counts counts{4, 3, 8, 7, -8 * std::log(2.0) * 1.5, {}};
  CHECK(exact_match().of(counts) == 0.75);
  CHECK(bits_per_byte().of(counts) == Approx(1.5));
  CHECK(exact_match().better(0.9, 0.8));
  CHECK(bits_per_byte().better(1.5, 1.6));
  CHECK(exact_match().span_bound(1) == 0.9);
  CHECK(bits_per_byte().span_bound(2) == Approx(2.02));
}

TEST_CASE("Every metric is found by its name and knows its worst", "[property]") {
  std::set<std::string> names;
  for (const Metric& metric : metrics()) {
    INFO(metric.name);
    CHECK(&find_metric(metric.name) == &metric);
    CHECK(names.insert(std::string(metric.name)).second);
    CHECK(std::isnan(metric.of({})));
    CHECK(metric.minimum <= metric.lost);
    CHECK(metric.lost <= metric.maximum);
    for (const double value : {0.1, 0.9}) CHECK_FALSE(metric.better(metric.lost, value));
  }
  CHECK_THROWS_AS(find_metric("exactmatch"), InputError);
}
