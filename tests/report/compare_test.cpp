#include "report/compare.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "report/text.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

Result example() {
  Result result;
  result.cells = {cell("softmax", 0.001, 0, 100, {100, 60}),
                  cell("softmax", 0.001, 1, 100, {98, 40}),
                  cell("asentmax", 0.002, 0, 100, {100, 95}),
                  cell("asentmax", 0.002, 1, 100, {99, 93}),
                  lost_cell("entmax", 0.001, 0, Status::diverged),
                  lost_cell("entmax", 0.001, 1, Status::diverged)};
  return result;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Markdown shows figures with intervals, seeds, samples, chance and what was lost",
          "[unit]") {
  const std::string text = render(compare({example()}), Format::markdown);
  CHECK(holds(text, "### recall, trained at length 16\n"));
  CHECK(holds(text, "Chance: below 0.1%, one token 1.6%."));
  CHECK(holds(text,
              "| variant | learning rate | seeds | span | 1x | 4x |\n"
              "|---|---:|---:|---:|---:|---:|\n"));
  CHECK(holds(text,
              "| softmax/nape | 0.001 | 2 | 1x | 99.0 [96.4-99.7] (98.0-100.0) | "
              "50.0 [43.1-56.9] (40.0-60.0) |\n"));
  CHECK(holds(text, "| entmax/nape | 0.001 | 0 of 2 (2 diverged) | - | diverged | diverged |\n"));
  CHECK(holds(text, "| samples |  |  |  | 200 | 200 |\n"));
  CHECK(holds(text, std::string(selection_rule())));
  CHECK_FALSE(holds(text, "minus"));
}

TEST_CASE("Differences to a baseline carry Newcombe's interval and a mark", "[unit]") {
  for (const char* baseline : {"softmax", "softmax/nape"}) {
    const Comparison comparison = compare({example()}, baseline);
    REQUIRE(comparison.rows[1].attention == "asentmax");
    const Difference difference = comparison.differences[1][1].value();
    CHECK(difference.value == Approx(0.44));
    CHECK(difference.ci95.low == newcombe(188, 200, 100, 200).low);
    CHECK(difference.ci95.high == newcombe(188, 200, 100, 200).high);
    CHECK_FALSE(comparison.differences[0][0].has_value());

    const std::string text = render(comparison, Format::markdown);
    CHECK(holds(text, "Exact match minus that of " + std::string(baseline)));
    CHECK(holds(text, "| asentmax/nape | +0.5 [-1.9, +3.1] | +44.0 [+36.0, +51.3] * |\n"));
  }
}

TEST_CASE("An attention as baseline is met at the same position, a variant at any", "[unit]") {
  Result result = example();
  for (const CellRow& row : example().cells) {
    if (row.attention != "softmax") continue;
    CellRow rotary = row;
    rotary.position = "rope";
    rotary.key += "/rope";
    rotary.evaluations[1] = test::evaluation("test", 1, 50, 100);
    result.cells.push_back(rotary);
  }
  const Comparison by_attention = compare({result}, "softmax");
  const Comparison by_variant = compare({result}, "softmax/nape");
  REQUIRE(by_attention.rows.back().position == "rope");
  CHECK_FALSE(by_attention.differences.back()[0].has_value());
  CHECK(by_variant.differences.back()[0].value().value == Approx(-0.49));
}

TEST_CASE("An unknown baseline or format names the nearest known one", "[unit]") {
  const auto complaint = [](const char* baseline) -> std::string {
    try {
      compare({example()}, baseline);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  CHECK(holds(complaint("softmx"), "unknown baseline 'softmx'; did you mean 'softmax'?"));
  CHECK(holds(complaint("softmax/rope"), "Allowed: softmax, softmax/nape, asentmax"));
  CHECK_THROWS_AS(parse_format("xml"), InputError);
  CHECK(parse_format("md") == Format::markdown);
}

TEST_CASE("Blocks have their own multiples, and a missing figure is a dash", "[unit]") {
  Result result = example();
  result.cells.push_back(cell("ssmax", 0.001, 0, 100, {100}));
  CellRow copy = cell("softmax", 0.001, 0, 100, {100, 99, 98});
  copy.task = "copy:symbols=8";
  copy.key = "copy";
  result.cells.push_back(copy);
  const std::string text = render(compare({result}), Format::markdown);
  CHECK(holds(text, "| ssmax/nape | 0.001 | 1 | 1x | 100.0 [96.3-100.0] | - |\n"));
  CHECK(holds(text, "### copy:symbols=8, trained at length 16\n"));
  CHECK(holds(text, "| seeds | span | 1x | 4x | 16x |\n"));
  CHECK(holds(text, "| samples |  |  |  | 100-200 | 200 |\n"));
}

TEST_CASE("CSV has a line for each figure and one for what was lost", "[unit]") {
  Result result = example();
  for (CellRow& row : result.cells) row.task = "recall:alphabet=8,queries=2";
  const std::string text = render(compare({result}, "softmax"), Format::csv);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 + 2 + 1);
  const auto fields = [](const std::string& line) {
    bool quoted = false;
    int count = 1;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++count;
    }
    return count;
  };
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    CHECK(fields(text.substr(start, end - start)) == 25);
    start = end + 1;
  }
  CHECK(holds(text,
              "\n\"recall:alphabet=8,queries=2\",16,softmax,nape,0.001,2,0,0,0,1,"
              "0.000244140625,0.015625,1,16,200,0.99,0.98,1,"));
  CHECK(holds(text, "entmax,nape,0.001,0,2,0,0,,0.000244140625,0.015625,,,,,,,,,,,,,\n"));
}

TEST_CASE("JSON holds the table and the differences", "[unit]") {
  const Json json =
      parse_json(render(compare({example()}, "softmax"), Format::json), "json", false);
  CHECK(json["baseline"] == "softmax");
  CHECK(json["table"].size() == 3);
  CHECK(json["table"][1]["accuracy"][1]["difference"]["value"].get<double>() == Approx(0.44));
  CHECK_FALSE(json["table"][0]["accuracy"][0].contains("difference"));
  CHECK(json["table"][2]["accuracy"].empty());
  CHECK(
      parse_json(render(compare({example()}), Format::json), "json", false)["baseline"].is_null());
}

TEST_CASE("LaTeX is escaped", "[unit]") {
  Result result = example();
  for (CellRow& row : result.cells) row.task = "recall:key_length=2";
  const std::string text = render(compare({result}, "softmax"), Format::latex);
  CHECK(holds(text, "\\caption{recall:key\\_length=2, trained"));
  CHECK(holds(text, "\\toprule\nvariant & learning rate & seeds & span & 1x & 4x \\\\\n\\midrule"));
  CHECK(holds(text, "below 0.1\\%"));
  CHECK(holds(text, "asentmax/nape & +0.5 [-1.9, +3.1] & +44.0 [+36.0, +51.3] * \\\\\n"));
}

TEST_CASE("The plain table is aligned and names what was lost", "[unit]") {
  const std::string text = plain_table(build_table(example().cells));
  CHECK(holds(text,
              "recall, trained at length 16 (chance below 0.1%)\n"
              "  variant         rate                seeds  span          1x          4x\n"
              "  softmax/nape   0.001                    2    1x  99.0 +-2.6  50.0 +-6.9\n"
              "  asentmax/nape  0.002                    2    4x  99.5 +-2.3  94.0 +-4.2\n"
              "  entmax/nape    0.001  0 of 2 (2 diverged)     -    diverged    diverged\n"));
  CHECK(plain_table({}) == "");
}

TEST_CASE("A comparison of nothing is an empty table", "[unit]") {
  for (const Format format : {Format::markdown, Format::csv, Format::json, Format::latex})
    CHECK(render(compare({}), format).back() == '\n');
}
