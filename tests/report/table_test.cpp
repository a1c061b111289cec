#include "report/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "report/layout.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

TableRow only_row(const std::vector<CellRow>& cells,
                  const std::vector<std::string>& tuned = {"learning_rates"}) {
  const std::vector<TableRow> rows = build_table(cells, tuned);
  REQUIRE(rows.size() == 1);
  return rows.front();
}

double selected(const std::vector<CellRow>& cells) {
  return only_row(cells).selected["learning_rates"].get<double>();
}

/// Spans of one seed with these right samples of 100 at multiples 1, 4, 16, ...
Spans spans(const std::vector<std::int64_t>& tests) {
  return only_row({cell("softmax", 0.001, 0, 100, tests)}).span;
}

bool notes(const TableRow& row, const std::string& note) {
  return std::find(row.notes.begin(), row.notes.end(), note) != row.notes.end();
}

/// A made-up cell of a task that is judged by bits per byte: these at multiples 1, 4, 16, ...
CellRow bits_cell(int seed, const std::vector<double>& bits) {
  CellRow row = cell("softmax", 0.001, seed, 0, std::vector<std::int64_t>(bits.size(), 0));
  row.metric = &bits_per_byte();
  for (std::size_t i = 0; i <= bits.size(); ++i) {
    Evaluation& evaluation = row.evaluations[i];
    const double value = bits[i == 0 ? 0 : i - 1];
    evaluation.counts.log_likelihood = -value * std::log(2.0) * 200;
    for (std::size_t k = 0; k < 100; ++k)
      evaluation.outcomes[k].value = value + (k % 2 == 0 ? 0.001 : -0.001);
  }
  return row;
}

}  // namespace

TEST_CASE("The span ends before the first multiple below 0.9", "[unit]") {
  CHECK(spans({100, 95, 90}).point == 16.0);
  CHECK(spans({100, 90, 89}).point == 4.0);
  CHECK(spans({100, 89, 100}).point == 1.0);
  CHECK(spans({89, 100, 100}).point == 0.0);
  CHECK(spans({}).point == std::nullopt);
}

// Wilson's intervals of 100 samples: 100 [0.963, 1], 97 [0.915, 0.990], 95 [0.888, 0.978],
// 85 [0.767, 0.907], 80 [0.711, 0.867].
TEST_CASE("A span is sure or possible by the ends of the intervals", "[unit]") {
  const Spans doubtful = spans({100, 95, 85, 80});
  CHECK(doubtful.point == 4.0);
  CHECK(doubtful.sure == 1.0);
  CHECK(doubtful.possible == 16.0);
  CHECK(spans({97, 80, 100}).sure == 1.0);
  CHECK(spans({97, 80, 100}).possible == 1.0);
  CHECK(spans({85}).point == 0.0);
  CHECK(spans({85}).possible == 1.0);
  CHECK(spans({}).sure == std::nullopt);
}

TEST_CASE("The span is that of the mean over seeds, with the seeds' own beside it", "[unit]") {
  // Means 0.94, 0.9 and 0.5; in binary the second one comes out below 0.9.
  const TableRow row = only_row({cell("softmax", 0.001, 0, 100, {94, 82, 50}),
                                 cell("softmax", 0.001, 1, 100, {94, 94, 50}),
                                 cell("softmax", 0.001, 2, 100, {94, 94, 50})});
  REQUIRE(row.accuracy[1].value.mean < 0.9);
  CHECK(row.span.point == 4.0);
  CHECK(row.span.seed_min == 1.0);
  CHECK(row.span.seed_max == 4.0);
}

TEST_CASE("A table row has mean, least and most over seeds, and their interval", "[unit]") {
  const TableRow row =
      only_row({cell("softmax", 0.001, 1, 100, {96, 87}), cell("softmax", 0.001, 0, 100, {90, 17}),
                cell("softmax", 0.001, 2, 100, {93, 30})});
  REQUIRE(row.accuracy.size() == 2);
  const Accuracy& at_four = row.accuracy[1];
  CHECK(at_four.multiple == 4);
  CHECK(at_four.length == 64);
  CHECK(at_four.value.mean == Approx(0.4466667));
  CHECK(at_four.value.min == 0.17);
  CHECK(at_four.value.max == 0.87);
  CHECK(at_four.counts.samples == 300);
  CHECK(at_four.counts.exact == 134);
  // scipy: 0.4467 +- 4.3027 x 0.2152 reaches beyond 0 and 1.
  CHECK(at_four.ci95.low == 0);
  CHECK(at_four.ci95.high == 1);
  // scipy: 0.93 +- 4.3027 x 0.01732.
  CHECK(row.accuracy[0].ci95.low == Approx(0.8554759).epsilon(1e-6));
  CHECK(row.accuracy[0].ci95.high == 1);
  CHECK(at_four.token_accuracy == Approx(0.7233333));
  REQUIRE(at_four.seeds.size() == 3);
  CHECK(at_four.seeds[0].seed == 0);
  CHECK(at_four.seeds[0].value == 0.17);
  CHECK(at_four.seeds[1].value == 0.87);
}

TEST_CASE("Equal seeds and single ones have the interval of the test samples", "[unit]") {
  // Newcombe 1998, table I: 10 of 10 is 0.7225 to 1.
  CellRow one = cell("softmax", 0.001, 0, 100, {});
  one.evaluations = {test::evaluation("test", 1, 10, 10)};
  CHECK(only_row({one}).accuracy[0].ci95.low == Approx(0.7225).margin(5e-5));
  // 30 of 30: 30 / (30 + 1.96^2).
  CellRow two = one, three = one;
  two.seed = 1;
  three.seed = 2;
  CHECK(only_row({one, two, three}).accuracy[0].ci95.low == Approx(30 / 33.8414588));
  CHECK(only_row({one, two, three}).accuracy[0].ci95.high == 1);
}

TEST_CASE("Diverged and failed seeds count as the worst beside the survivors", "[unit]") {
  const TableRow row = only_row({cell("softmax", 0.001, 0, 100, {100, 96}),
                                 cell("softmax", 0.001, 1, 100, {100, 90}),
                                 lost_cell("softmax", 0.001, 2, Status::diverged)});
  CHECK(row.accuracy[1].value.mean == Approx(0.93));
  CHECK(row.accuracy[1].with_lost == Approx(0.62));
  CHECK(row.span.point == 4.0);
  CHECK(row.span.with_lost == 0.0);
}

TEST_CASE("A metric of which less is better goes the other way", "[unit]") {
  // At most 1% above the value at 1x.
  const std::vector<CellRow> cells{bits_cell(0, {2.0, 2.01, 2.03}), bits_cell(1, {2.0, 2.02, 2.07}),
                                   lost_cell("softmax", 0.001, 2, Status::failed)};
  std::vector<CellRow> three = cells;
  three[2].metric = &bits_per_byte();
  const TableRow row = only_row(three);
  CHECK(row.accuracy[1].value.mean == Approx(2.015));
  CHECK(row.accuracy[1].with_lost == Approx((2.01 + 2.02 + 8) / 3));
  CHECK(row.span.point == 4.0);
  CHECK(row.span.seed_min == 4.0);
  CHECK(row.span.sure == 1.0);
  CHECK(row.span.possible == 16.0);
  CHECK_FALSE(notes(row, "did not learn at 1x"));
  CHECK(chance_text(row) == "8");  // bits, of one who guesses

  // Selection takes the lower one.
  CellRow better = bits_cell(0, {1.9}), worse = bits_cell(0, {2.1});
  better.learning_rate = 0.002;
  CHECK(selected({worse, better}) == 0.002);
}

TEST_CASE("Selection looks at validation samples only", "[unit]") {
  CHECK(selected({cell("softmax", 0.001, 0, 80, {100}), cell("softmax", 0.002, 0, 81, {0})}) ==
        0.002);
  // The mean over seeds, not the best seed.
  CHECK(selected({cell("softmax", 0.001, 0, 80, {}), cell("softmax", 0.001, 1, 80, {}),
                  cell("softmax", 0.002, 0, 100, {}), cell("softmax", 0.002, 1, 50, {})}) == 0.001);
}

TEST_CASE("Selection takes the mean over all validation multiples", "[unit]") {
  CellRow near = cell("softmax", 0.001, 0, 100, {0});
  near.evaluations.push_back(test::evaluation("validation", 4, 50, 100));
  CellRow far = cell("softmax", 0.002, 0, 98, {0});
  far.evaluations.push_back(test::evaluation("validation", 4, 54, 100));
  CHECK(selected({near, far}) == 0.002);
  far.evaluations.back() = test::evaluation("validation", 4, 51, 100);
  CHECK(selected({near, far}) == 0.001);
  // A multiple that one of them lacks decides nothing.
  near.evaluations.pop_back();
  CHECK(selected({near, far}) == 0.001);
}

TEST_CASE("Several tuned axes are selected together", "[unit]") {
  std::vector<CellRow> cells;
  for (const double decay : {0.0, 0.1, 0.3})
    for (const double rate : {0.001, 0.002, 0.004}) {
      CellRow row = cell("softmax", rate, 0, decay == 0.1 && rate == 0.004 ? 90 : 80, {70});
      row.settings["weight_decay"] = decay;
      cells.push_back(row);
    }
  const TableRow row = only_row(cells, {"learning_rates", "weight_decay"});
  CHECK(to_line(row.selected) == R"({"learning_rates":0.004,"weight_decay":0.1})");
  CHECK(to_line(row.candidates) ==
        R"({"learning_rates":[0.001,0.002,0.004],"weight_decay":[0.0,0.1,0.3]})");
  CHECK(notes(row, "the best of learning rate, 0.004, is the largest tried"));
  CHECK(row.notes.size() == 2);  // and that it did not learn
  // Not tuned, it tells rows apart.
  const std::vector<TableRow> rows = build_table(cells);
  REQUIRE(rows.size() == 3);
  CHECK(rows[2].label == "weight_decay=0.3");
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

TEST_CASE("A row of lost seeds has no figures", "[unit]") {
  const TableRow none = only_row({lost_cell("softmax", 0.001, 0, Status::diverged)});
  CHECK(none.seeds.diverged == 1);
  CHECK(none.accuracy.empty());
  CHECK(none.span.point == std::nullopt);
  CHECK(to_json(none)["span"]["point"].is_null());
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

TEST_CASE("Runs that differ stand beside each other, labelled by what differs", "[unit]") {
  CellRow longer = cell("softmax", 0.001, 0, 100, {90});
  longer.settings["steps"] = 2000;
  CellRow elsewhere = longer;
  elsewhere.task = "copy";
  CellRow more = cell("softmax", 0.001, 0, 100, {90});
  more.settings["task"] = "recall:pairs=8,queries=2";
  const std::vector<TableRow> rows =
      build_table(std::vector{cell("softmax", 0.001, 0, 100, {90}), longer, elsewhere, more});
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].label == "steps=1000");
  CHECK(rows[1].label == "steps=2000");
  CHECK(rows[2].label == "");
  CHECK(rows[3].label == "steps=1000 pairs=8");
  CHECK(variant_name(rows[1]) == "softmax/nape steps=2000");
}

TEST_CASE("The same settings and seed twice cannot share a table", "[unit]") {
  CellRow again = cell("softmax", 0.001, 0, 99, {});
  again.key = "another sweep";
  CHECK_THROWS_AS(build_table(std::vector{cell("softmax", 0.001, 0, 100, {}), again}), InputError);
}

TEST_CASE("What a reader must know of a row is said", "[unit]") {
  CellRow row = cell("softmax", 0.001, 0, 100, {62, 30, 0});
  row.settings["warmup_steps"] = 100;
  row.train.steps = 80;
  for (std::size_t i = 1; i < 4; ++i)
    row.evaluations[i].shortcuts = {{"weak", 0.01}, {"last key token", i == 1 ? 0.4 : 0.28}};
  Evaluation beyond = test::evaluation("test", 64, 0, 0);
  beyond.given_up = true;
  row.evaluations.push_back(beyond);
  const TableRow found = only_row({row});
  CHECK(notes(found, "did not learn at 1x"));
  CHECK(notes(found, "1 of 1 seeds stopped early"));
  CHECK(notes(found, "warm-up of 100 steps is as long as training"));
  CHECK(notes(found, "no better than the best shortcut at 4x"));
  CHECK(notes(found, "given up at 64x, after two multiples without a right sample; counts as 0"));
  CHECK(found.notes.size() == 5);
  CHECK(found.accuracy[0].shortcut->name == "last key token");
  CHECK(found.accuracy[0].shortcut->value == 0.4);
  CHECK(found.accuracy[3].value.mean == 0);
  CHECK(found.accuracy[3].given_up == 1);
  CHECK(found.span.possible == 0.0);

  CHECK(only_row({cell("softmax", 0.001, 0, 100, {100})}).notes.empty());
  CHECK(notes(only_row({cell("softmax", 0.001, 0, 100, {100}), cell("softmax", 0.001, 1, 9, {85})}),
              "1 of 2 seeds did not learn at 1x"));

  // Bits per byte have no bound but one drawn from the row's own mean.
  std::vector<CellRow> bits{cell("softmax", 0.001, 0, 100, {0}),
                            cell("softmax", 0.001, 1, 100, {0})};
  for (CellRow& of_seed : bits) {
    of_seed.metric = &bits_per_byte();
    for (Evaluation& evaluation : of_seed.evaluations)
      evaluation.counts.log_likelihood = of_seed.seed == 0 ? -2 : -2.2;
  }
  CHECK(only_row(bits).notes.empty());
}

TEST_CASE("Token accuracy is shown on request, and selects nothing", "[unit]") {
  // Of 100 samples of two tokens, those that are not exact have one right.
  std::vector<CellRow> cells{cell("softmax", 0.001, 0, 60, {50}),
                             cell("softmax", 0.002, 0, 50, {90})};
  for (Evaluation& evaluation : cells[1].evaluations)  // more tokens right, fewer samples
    if (evaluation.split == "validation") evaluation.counts.right_tokens = 190;
  const TableRow row = build_table(cells, {"learning_rates"}, &token_accuracy()).at(0);
  CHECK(row.selected["learning_rates"] == 0.001);
  CHECK(row.metric == &token_accuracy());
  const Accuracy& accuracy = row.accuracy.at(0);
  CHECK(accuracy.value.mean == 0.75);
  CHECK(accuracy.ci95.low == Approx(wilson(75, 100).low));
  CHECK(accuracy.ci95.high == Approx(wilson(75, 100).high));
  CHECK(row.span.point == 0.0);
  CHECK_THROWS_AS(find_common_metric("bits_per_byte"), InputError);
}
