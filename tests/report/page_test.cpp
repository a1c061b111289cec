#include "report/page.hpp"

#include <string>

#include "core/error.hpp"
#include "report/layout.hpp"
#include "report/learning.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

/// Softmax fails early, entmax late; one seed of entmax is lost.
Result example() {
  Result result;
  for (int seed = 0; seed < 3; ++seed) {
    result.cells.push_back(cell("softmax", 0.001, seed, 100, {100, 50 + seed, 0}));
    result.cells.push_back(cell("entmax", 0.001, seed, 100, {100, 100, 95 - 3 * seed}));
    for (const std::size_t back : {std::size_t{1}, std::size_t{2}}) {
      CellRow& row = result.cells[result.cells.size() - back];
      row.train.curve = {{250, 1.5, 1e-3, 1, 0.5}, {500, 0.5, 1e-3, 1, 0.96}, {1000, 0.1, 0, 1, 1}};
    }
  }
  result.cells.push_back(lost_cell("asentmax", 0.001, 0, Status::failed));
  result.origin = "my results.json";
  result.context = {{"cpu", "a processor"}};
  return result;
}

std::vector<const CellRow*> pointers(const std::vector<CellRow>& cells) {
  std::vector<const CellRow*> list;
  for (const CellRow& one : cells) list.push_back(&one);
  return list;
}

}  // namespace

TEST_CASE("Texts are escaped for where they stand", "[unit]") {
  CHECK(escaped_html("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(escaped_json(Json{{"a", "</script>&"}}) == "{\"a\":\"\\u003c/script\\u003e\\u0026\"}");
  CHECK(Json::parse(escaped_json(Json("<!--\"\\"))) == Json("<!--\"\\"));
  CHECK(shell_word("recall:pairs=6/softmax/nape/n16/lr0.003/seed0") ==
        "recall:pairs=6/softmax/nape/n16/lr0.003/seed0");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("$(rm -r ~)'; x") == "'$(rm -r ~)'\\''; x'");
  CHECK(shell_word("") == "''");
}

TEST_CASE("A hostile results file puts nothing but text into the page", "[property]") {
  const std::string evil =
      "</script><script>alert(1)</script><img src=x onerror=alert(2)>@data@\"'<!--";
  Result result = example();
  const std::string plain = render_page({result}, "");
  for (CellRow& row : result.cells) {
    row.task = "recall" + evil;
    row.key += evil;
    row.attention += evil;
    row.position += evil;
    if (!row.message.empty()) row.message = evil;
    row.settings[evil] = evil;
    row.settings["layers"] = row.attention.starts_with("softmax") ? evil : "2";
    for (Evaluation& evaluation : row.evaluations) evaluation.shortcuts = {{evil, 1}};
  }
  result.origin = evil;
  result.context[evil] = evil;
  result.spec[evil] = evil;
  const std::string page = render_page({result}, "");
  CHECK(page.size() > plain.size());
  CHECK(page.find(evil) == std::string::npos);
  // No element more than without it.
  for (const char* part : {"<script", "</script", "<img", "<!--", "<svg", "onerror=alert(2)>"}) {
    INFO(part);
    CHECK(count(page, part) == count(plain, part));
  }
  // What a script reads as data is what was there.
  const std::string begin = "id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  const Json data = Json::parse(page.substr(at, page.find("</script>", at) - at));
  CHECK(data == page_data({result}, ""));
  CHECK(data["results"][0]["context"][evil] == evil);
}

TEST_CASE("The page needs nothing but itself and is the same each time", "[property]") {
  const std::string page = render_page({example()}, "");
  CHECK(page == render_page({example()}, ""));
  CHECK(count(page, "://") == 1);  // the name of SVG
  CHECK(page.find("http://www.w3.org/2000/svg") != std::string::npos);
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const char* part : {"src=", "@import", "url(http", "innerHTML", "eval("}) {
    INFO(part);
    CHECK(count(page, part) == 0);
  }
  for (const char* placeholder : {"@style@", "@words@", "@data@", "@script@"})
    CHECK(count(page, placeholder) == 0);
  CHECK(render_page({}, "").find("The results hold no cell.") != std::string::npos);
}

TEST_CASE("The page says in words which variant holds, how far and how sure", "[unit]") {
  const Json data = page_data({example()}, "");
  CHECK(data["question"] ==
        "Which attention holds on longer inputs than it was trained on? 3 variants on 1 task, "
        "trained at length 16, tested up to 16x, 1 to 3 seeds.");
  CHECK(data["baseline"] == "softmax");
  const Json& block = data["blocks"][0];
  CHECK(block["headline"] ==
        "At least 90% exact match is sure for entmax/nape (16x by its mean) to 4x; softmax/nape to "
        "1x. asentmax/nape has no result.");
  CHECK(block["verdict_summary"] ==
        "Against softmax/nape, over all tested lengths: better: entmax/nape; no verdict: "
        "asentmax/nape.");
  CHECK(render_page({example()}, "").find("entmax/nape (16x by its mean) to 4x") !=
        std::string::npos);
  // By whatever is asked for.
  CHECK(page_data({example()}, "entmax")["blocks"][0]["verdict_summary"] ==
        "Against entmax/nape, over all tested lengths: worse: softmax/nape; no verdict: "
        "asentmax/nape.");
  CHECK_THROWS_AS(page_data({example()}, "entmx"), InputError);
}

TEST_CASE("What a search chose for each variant may differ from the baseline", "[unit]") {
  Result result = example();
  for (CellRow& cell : result.cells)
    cell.settings["weight_decay"] = cell.attention == "entmax" ? 0.3 : 0.1;
  const auto summary = [&](const std::vector<std::string>& own) {
    return page_data({result}, "", own)["blocks"][0]["verdict_summary"].get<std::string>();
  };
  CHECK(summary({}).find("better") == std::string::npos);
  CHECK(summary({"weight_decay"}).find("better: entmax/nape") != std::string::npos);
  CHECK(page_data({result}, "", {"weight_decay"})["own"] == Json({"weight_decay"}));
  CHECK_THROWS_AS(page_data({result}, "", {"weight_decai"}), InputError);
}

TEST_CASE("Variants that hold nowhere for sure are said to", "[unit]") {
  Result result;
  for (int seed = 0; seed < 3; ++seed) {
    result.cells.push_back(cell("softmax", 0.001, seed, 100, {10, 0}));
    result.cells.push_back(cell("entmax", 0.001, seed, 100, {91, 0}));
  }
  CHECK(page_data({result}, "")["blocks"][0]["headline"] ==
        "At least 90% exact match is sure for no variant, not even at 1x; by the mean: entmax/nape "
        "to 1x.");
  for (int seed = 0; seed < 3; ++seed)
    result.cells.push_back(cell("ssmax", 0.001, seed, 100, {100, 100}));
  CHECK(page_data({result}, "")["blocks"][0]["headline"] ==
        "At least 90% exact match is sure for ssmax/nape to 4x, the longest tested; not for "
        "softmax/nape and entmax/nape even at 1x; by the mean: entmax/nape to 1x.");
}

TEST_CASE("The page's differences are those of compare, whichever is the baseline", "[property]") {
  const Result result = example();
  const Json rows = page_data({result}, "")["blocks"][0]["rows"];
  for (const char* baseline : {"softmax", "entmax", "asentmax"}) {
    const std::string name = baseline + std::string("/nape");
    const Comparison comparison = compare({result}, name);
    for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
      Json expected = to_json(comparison.comparisons[i]);
      if (variant_name(comparison.rows[i]) == name) {
        CHECK_FALSE(rows[i]["comparisons"].contains(name));
        continue;
      }
      expected["sentence"] = verdict_line(comparison.rows[i], comparison.comparisons[i]);
      CHECK(rows[i]["comparisons"][name] == expected);
    }
  }
}

TEST_CASE("Every cell comes with its status and the command that runs it again", "[unit]") {
  const Json cells = page_data({example()}, "")["cells"];
  REQUIRE(cells.size() == 7);
  CHECK(cells[0]["status"] == "done");
  CHECK(cells[0]["command"] ==
        "attnspan verify 'my results.json' --only recall/softmax/nape/n16/0.001000/0");
  CHECK(cells[6]["status"] == "failed");
  CHECK(cells[6]["message"] == "the loss was not finite at step 17");
  CHECK(cells[6]["command"] ==
        "attnspan sweep 'my results.json' --rerun recall/asentmax/nape/n16/0.001000/0");
}

TEST_CASE("A cell's command names the file that it was taken from", "[unit]") {
  Result one = example(), other = example();
  other.origin = "other.json";
  one.cells.pop_back();
  const Json cells = page_data({one, other}, "")["cells"];
  REQUIRE(cells.size() == 7);
  CHECK(cells[0]["command"].get<std::string>().find("'my results.json'") != std::string::npos);
  CHECK(cells[6]["command"].get<std::string>().find("other.json") != std::string::npos);
}

TEST_CASE("Learning costs are those up to the first point that is learnt", "[unit]") {
  std::vector<CellRow> cells = example().cells;
  // 1000 steps, 2048000 tokens, 12.5 seconds; 0.96 at step 500.
  const auto costs = learning_costs(pointers(cells));
  REQUIRE(costs.size() == 6);
  CHECK(costs[0].step == 500);
  CHECK(costs[0].tokens == 1024000);
  CHECK(costs[0].seconds == 6.25);
  cells[0].train.curve[1].exact_match = 0.949;
  CHECK(learning_costs(pointers(cells))[0].step == 1000);
  cells[0].train.curve[2].exact_match = 0.5;
  CHECK(learning_costs(pointers(cells)).size() == 5);
  CHECK(page_data({example()}, "")["blocks"][0]["rows"][0]["cost"]["tokens"]["mean"] == 1024000);
}

TEST_CASE("The mean curve is over the seeds that have the point", "[unit]") {
  std::vector<CellRow> cells{cell("softmax", 0.001, 0, 100, {100}),
                             lost_cell("softmax", 0.001, 1, Status::diverged)};
  cells[0].train.curve = {{10, 2.0, 1e-3, 1, 0.25}, {20, 1.0, 1e-3, 1, 0.5}};
  cells[1].train.curve = {{10, 4.0, 1e-3, 1, 0.75}};
  const auto curve = mean_curve(pointers(cells));
  REQUIRE(curve.size() == 2);
  CHECK(curve[0].seeds == 2);
  CHECK(curve[0].loss.mean == 3);
  CHECK(curve[0].exact_match.min == 0.25);
  CHECK(curve[0].exact_match.mean == 0.5);
  CHECK(curve[1].seeds == 1);
  CHECK(curve[1].loss.max == 1);
}

TEST_CASE("Depth profiles come with shares and intervals", "[unit]") {
  Result result;
  result.cells = {cell("softmax", 0.001, 0, 100, {50})};
  Counts& counts = result.cells[0].evaluations[1].counts;
  counts.depth.resize(10);
  counts.depth[0] = {40, 10};
  counts.depth[9] = {60, 40};
  const Json depth = page_data({result}, "")["blocks"][0]["rows"][0]["accuracy"][0]["depth"];
  CHECK(depth["exact_match"][0] == 0.25);
  CHECK(depth["exact_match"][1].is_null());
  CHECK(depth["ci95"][0] == to_json(wilson(10, 40)));
}
