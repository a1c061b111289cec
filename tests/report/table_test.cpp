#include "report/table.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

TableRow only_row(const std::vector<CellRow>& cells) {
  const std::vector<TableRow> rows = build_table(cells);
  REQUIRE(rows.size() == 1);
  return rows.front();
}

double selected(const std::vector<CellRow>& cells) {
  return only_row(cells).selected_learning_rate;
}

/// Span of one seed with these right samples of 100 at multiples 1, 4, 16, ...
Span span(const std::vector<std::int64_t>& tests) {
  return only_row({cell("softmax", 0.001, 0, 100, tests)}).span;
}

}  // namespace

TEST_CASE("The span ends before the first multiple below 0.9", "[unit]") {
  CHECK(span({100, 95, 90}) == 16.0);
  CHECK(span({100, 90, 89}) == 4.0);
  CHECK(span({100, 89, 100}) == 1.0);
  CHECK(span({89, 100, 100}) == 0.0);
  CHECK(span({}) == std::nullopt);
}

TEST_CASE("The span is that of the mean over seeds, with the seeds' own beside it", "[unit]") {
  // Means 0.94, 0.9 and 0.5; in binary the second one comes out below 0.9.
  const TableRow row = only_row({cell("softmax", 0.001, 0, 100, {94, 82, 50}),
                                 cell("softmax", 0.001, 1, 100, {94, 94, 50}),
                                 cell("softmax", 0.001, 2, 100, {94, 94, 50})});
  REQUIRE(row.accuracy[1].exact_match.mean < 0.9);
  CHECK(row.span == 4.0);
  CHECK(row.span_min == 1.0);
  CHECK(row.span_max == 4.0);
}

TEST_CASE("A table row has mean, least and most over seeds and the interval of all samples",
          "[unit]") {
  const TableRow row = only_row(
      {cell("softmax", 0.001, 1, 100, {96, 60}), cell("softmax", 0.001, 0, 100, {90, 20})});
  REQUIRE(row.accuracy.size() == 2);
  const Accuracy& at_four = row.accuracy[1];
  CHECK(at_four.multiple == 4);
  CHECK(at_four.length == 64);
  CHECK(at_four.exact_match.mean == Approx(0.4));
  CHECK(at_four.exact_match.min == 0.2);
  CHECK(at_four.exact_match.max == 0.6);
  CHECK(at_four.counts.samples == 200);
  CHECK(at_four.counts.exact == 80);
  CHECK(at_four.ci95.low == wilson(80, 200).low);
  CHECK(at_four.ci95.high == wilson(80, 200).high);
  CHECK(at_four.token_accuracy == Approx(0.7));
  REQUIRE(at_four.seeds.size() == 2);
  CHECK(at_four.seeds[0].seed == 0);
  CHECK(at_four.seeds[0].exact_match == 0.2);
  CHECK(at_four.seeds[1].exact_match == 0.6);
}

TEST_CASE("Selection looks at validation samples only", "[unit]") {
  CHECK(selected({cell("softmax", 0.001, 0, 80, {100}), cell("softmax", 0.002, 0, 81, {0})}) ==
        0.002);
  // The mean over seeds, not the best seed.
  CHECK(selected({cell("softmax", 0.001, 0, 80, {}), cell("softmax", 0.001, 1, 80, {}),
                  cell("softmax", 0.002, 0, 100, {}), cell("softmax", 0.002, 1, 50, {})}) == 0.001);
}

TEST_CASE("A seed that is not done, or missing, counts as 0 in the selection", "[unit]") {
  const CellRow lost = lost_cell("softmax", 0.002, 1, Status::diverged);
  CHECK(selected({cell("softmax", 0.001, 0, 60, {}), cell("softmax", 0.001, 1, 60, {}),
                  cell("softmax", 0.002, 0, 100, {}), lost}) == 0.001);
  CHECK(selected({cell("softmax", 0.001, 0, 60, {}), cell("softmax", 0.001, 1, 60, {}),
                  cell("softmax", 0.002, 0, 100, {})}) == 0.001);
  CHECK(selected({cell("softmax", 0.001, 0, 40, {}), cell("softmax", 0.001, 1, 40, {}),
                  cell("softmax", 0.002, 0, 100, {}), lost}) == 0.002);
}

TEST_CASE("Ties in the selection are broken in the order that the rule says", "[unit]") {
  CellRow slow = cell("softmax", 0.001, 0, 80, {});
  CellRow fast = cell("softmax", 0.002, 0, 80, {});
  CHECK(selected({fast, slow}) == 0.001);  // all equal: the smaller rate

  fast.train.loss = slow.train.loss / 2;
  CHECK(selected({slow, fast}) == 0.002);  // the lower loss before the smaller rate

  slow.evaluations[0].counts.right_tokens += 1;
  CHECK(selected({slow, fast}) == 0.001);  // the higher token accuracy before the lower loss

  // Fewer lost seeds before the higher token accuracy: 80 + lost against 40 + 40.
  CellRow half = cell("softmax", 0.002, 0, 40, {});
  CellRow other_half = cell("softmax", 0.002, 1, 40, {});
  half.evaluations[0].counts.right_tokens = other_half.evaluations[0].counts.right_tokens = 40;
  CHECK(selected({slow, lost_cell("softmax", 0.001, 1, Status::failed), half, other_half}) ==
        0.002);
}

TEST_CASE("A loss that is not a number does not win", "[unit]") {
  CellRow slow = cell("softmax", 0.001, 0, 80, {});
  slow.train.loss = std::numeric_limits<double>::quiet_NaN();
  CHECK(selected({slow, cell("softmax", 0.002, 0, 80, {})}) == 0.002);
}

TEST_CASE("Lost seeds are counted and never shown as zeros", "[unit]") {
  const TableRow some = only_row({cell("softmax", 0.001, 0, 100, {100}),
                                  lost_cell("softmax", 0.001, 1, Status::diverged),
                                  lost_cell("softmax", 0.001, 2, Status::failed)});
  CHECK(some.seeds.done == 1);
  CHECK(some.seeds.diverged == 1);
  CHECK(some.seeds.failed == 1);
  CHECK(some.accuracy.front().exact_match.mean == 1);
  CHECK(some.accuracy.front().counts.samples == 100);

  const TableRow none = only_row({lost_cell("softmax", 0.001, 0, Status::diverged)});
  CHECK(none.accuracy.empty());
  CHECK(none.span == std::nullopt);
  CHECK(to_json(none)["span"].is_null());
}

TEST_CASE("Rows stand in order of first appearance", "[unit]") {
  const std::vector<TableRow> rows =
      build_table(std::vector{cell("softmax", 0.002, 0, 1, {}), cell("entmax", 0.001, 0, 1, {}),
                              cell("softmax", 0.001, 0, 1, {})});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].attention == "softmax");
  CHECK(rows[1].attention == "entmax");
}

TEST_CASE("The table does not depend on the order of seeds and rates", "[property]") {
  std::vector<CellRow> cells;
  for (const double rate : {0.001, 0.002, 0.004})
    for (int seed = 0; seed < 3; ++seed)
      cells.push_back(cell("softmax", rate, seed, 80 + seed, {90 + seed, 77 - 7 * seed}));
  const Json table = to_json(only_row(cells));
  std::reverse(cells.begin(), cells.end());
  CHECK(to_json(only_row(cells)) == table);
  std::rotate(cells.begin(), cells.begin() + 4, cells.end());
  CHECK(to_json(only_row(cells)) == table);
}

TEST_CASE("Depth deciles are pooled over seeds", "[unit]") {
  CellRow first = cell("softmax", 0.001, 0, 100, {50});
  CellRow second = cell("softmax", 0.001, 1, 100, {50});
  for (CellRow* row : {&first, &second}) row->evaluations[1].counts.depth.resize(10);
  first.evaluations[1].counts.depth[0] = {40, 10};
  first.evaluations[1].counts.depth[9] = {60, 40};
  second.evaluations[1].counts.depth[0] = {20, 20};
  second.evaluations[1].counts.depth[4] = {80, 30};
  const std::vector<DepthCount> depth = only_row({first, second}).accuracy.front().counts.depth;
  REQUIRE(depth.size() == 10);
  CHECK(depth[0].samples == 60);
  CHECK(depth[0].exact == 30);
  CHECK(depth[4].samples == 80);
  CHECK(depth[9].exact == 40);
}

TEST_CASE("Cells that differ in what the table does not show cannot share it", "[unit]") {
  CellRow wider = cell("softmax", 0.001, 0, 100, {});
  wider.key = "another sweep";
  CHECK_THROWS_AS(build_table(std::vector{cell("softmax", 0.001, 0, 100, {}), wider}), InputError);
}
