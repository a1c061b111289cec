// Kinds of errors and diagnoses in rows: written only where they are, read back as they were.

#include "record/errors.hpp"

#include <cmath>

#include "core/error.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/diagnosis.hpp"
#include "report/format.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;

namespace {

/// 110 right of 200 answer tokens at the first test.
CellRow diagnosed(const std::string& attention, int seed) {
  CellRow row = cell(attention, 0.001, seed, 100, {10, 20});
  Evaluation& test = row.evaluations[1];
  test.errors = ErrorCounts{
      200, 90, "the values of the sample", 160, {{"shares the key", 45, 20}, {"no value", 9, 0}}};
  HeadFigures head;
  head.entropy = 0.75;
  head.answer_weight = std::nan("");
  head.scale = {1, 1, 1.5, 2, 2};
  test.diagnosis = AttentionFigures{4, 900, {head, head}};
  test.diagnosis->heads[1].head = 1;
  test.diagnosis->heads[1].entropy = 0.25;
  return row;
}

}  // namespace

TEST_CASE("Errors and diagnoses survive writing and reading", "[unit]") {
  const Json written = to_json(diagnosed("softmax", 0));
  CHECK(to_json(row_from_json(written)) == written);
  CHECK(written["evaluations"][1]["errors"]["kinds"]["shares the key"] ==
        Json({{"wrong", 45}, {"random", 20.0}}));
  CHECK(written["evaluations"][1]["diagnosis"]["heads"][0]["answer_weight"].is_null());
  CHECK_FALSE(written["evaluations"][2].contains("errors"));
  const Json plain = to_json(without_diagnosis(diagnosed("softmax", 0)));
  CHECK(plain == to_json(cell("softmax", 0.001, 0, 100, {10, 20})));
}

TEST_CASE("Errors that cannot be are refused", "[unit]") {
  const auto refused = [](const char* field, const Json& value) {
    Json json = to_json(diagnosed("softmax", 0));
    json["evaluations"][1]["errors"][field] = value;
    CHECK_THROWS_AS(row_from_json(json), InputError);
  };
  refused("answers", 201);
  refused("wrong", 89);
  refused("places", 201);
  refused("guess", "");
  refused("kinds", {{"a kind", {{"wrong", 91}, {"random", 0}}}});
  refused("kinds", {{"a kind", {{"wrong", 1}, {"random", 161}}}});
  refused("kinds", {{"a kind", {{"wrong", 1}}}});
  refused("other", 1);
}

TEST_CASE("Errors of all seeds are counted together, beside those of a guesser", "[golden]") {
  Result result;
  result.cells = {diagnosed("softmax", 0), diagnosed("softmax", 1)};
  Comparison comparison = compare({result});
  const ErrorCounts& all = *comparison.rows[0].accuracy[0].errors;
  CHECK(all.wrong == 180);
  CHECK(all.share_of(all.kinds[0]) == Approx(0.5));
  CHECK(all.random_share(all.kinds[0]) == Approx(0.125));
  CHECK_THAT(find_format("text").render(comparison), !containing("Wrong answers"));
  comparison.shows_errors = true;
  const std::string text = find_format("text").render(comparison);
  CHECK_THAT(text, containing("Wrong answers: recall, trained at length 16\n"));
  CHECK_THAT(text, containing("180 of 400"));
  CHECK_THAT(text, containing("50% (12%)"));
}

TEST_CASE("Equal cells are one, and the one with a diagnosis is kept", "[unit]") {
  Result plain, with;
  plain.cells = {cell("softmax", 0.001, 0, 100, {10, 20})};
  with.cells = {diagnosed("softmax", 0)};
  for (const auto& results : {std::vector<Result>{plain, with}, std::vector<Result>{with, plain}}) {
    const std::vector<CellRow> cells = merge_cells(results);
    REQUIRE(cells.size() == 1);
    CHECK(has_diagnosis(cells[0]));
  }
}

TEST_CASE("A measure of the heads is that of one of them, or a mean", "[unit]") {
  const CellRow one = diagnosed("softmax", 0), other = diagnosed("softmax", 1);
  const CellRow* const cells[] = {&one, &other};
  const auto at = [&](std::string_view name) {
    for (const DiagnosisMeasure& measure : diagnosis_measures())
      if (measure.name == name) return diagnosis_curve(cells, measure);
    throw std::invalid_argument("no such measure");
  };
  REQUIRE(at("entropy").size() == 1);
  CHECK(at("entropy")[0].value.mean == 0.75);
  CHECK(at("mean_entropy")[0].value.mean == 0.5);
  CHECK(at("answer_weight").empty());  // nothing is known
}
