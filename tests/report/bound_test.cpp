#include "report/bound.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

Comparison example() {
  Result result;
  result.cells = {cell("softmax", 0.001, 0, 100, {100, 80, 10}),
                  cell("entmax:1.3", 0.001, 0, 100, {100, 95, 90})};
  return compare({result});
}

using Sentences = std::vector<std::string>;

}  // namespace

TEST_CASE("Bounds are values at every multiple or spans, of all or one variant", "[unit]") {
  CHECK(below(example(), parse_bound("0.1")).empty());
  CHECK(below(example(), parse_bound("0.85")) ==
        Sentences{"softmax/nape on recall is at 80.0 at 4x, below 85.0",
                  "softmax/nape on recall is at 10.0 at 16x, below 85.0"});
  CHECK(below(example(), parse_bound("85%")).size() == 2);
  CHECK(below(example(), parse_bound("entmax:1.3=90%")).empty());
  CHECK(below(example(), parse_bound("16x")) ==
        Sentences{"the span of softmax/nape on recall is 1x, below 16x"});
  CHECK(below(example(), parse_bound("entmax:1.3/nape=16x")).empty());
  CHECK(below(example(), parse_bound("entmax:1.3=17x")).size() == 1);
}

TEST_CASE("A row without a result is below every bound", "[unit]") {
  Result result;
  result.cells = {lost_cell("softmax", 0.001, 0, Status::diverged)};
  for (const char* bound : {"0", "1x"})
    CHECK(below(compare({result}), parse_bound(bound)) ==
          Sentences{"softmax/nape on recall has no result"});
}

TEST_CASE("Lower is better, and then below is above", "[unit]") {
  Result result;
  result.cells = {cell("softmax", 0.001, 0, 100, {100})};
  result.cells[0].metric = &bits_per_byte();
  Counts& counts = result.cells[0].evaluations[1].counts;
  counts.log_likelihood = -2 * 200 * 0.6931471805599453;
  CHECK(below(compare({result}), parse_bound("2.1")).empty());
  CHECK(below(compare({result}), parse_bound("1.9")) ==
        Sentences{"softmax/nape on recall is at 2.000 at 1x, above 1.900"});
}

TEST_CASE("Bounds that say nothing are refused", "[unit]") {
  for (const char* text : {"", "x", "%", "ten", "-1", "nan", "entmax=", "16 x", "1e999"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_bound(text), InputError);
  }
  CHECK_THROWS_AS(below(example(), parse_bound("entmx:1.3=1x")), InputError);
}
