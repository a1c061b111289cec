#include "record/result.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/rng.hpp"
#include "report/table.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

/// The result whose file is tests/golden/result-v2.json: every field, every status, depth,
/// shortcuts, a multiple given up, and a number that is not finite.
Result example() {
  Result result;
  result.context = {{"date", "2026-01-01T00:00:00Z"}, {"version", "0.1.0"}};
  result.spec = {{"task", "recall"}, {"seeds", 2}};
  result.cells = {cell("softmax", 0.001, 0, 100, {100, 90, 3}),
                  cell("softmax", 0.001, 1, 98, {97, 88, 0}),
                  lost_cell("softmax", 0.002, 0, Status::diverged),
                  lost_cell("softmax", 0.002, 1, Status::skipped),
                  lost_cell("entmax", 0.001, 0, Status::failed),
                  cell("entmax", 0.001, 1, 0, {})};
  result.cells[0].evaluations[1].counts.depth.resize(10);
  result.cells[0].evaluations[1].counts.depth[0] = {40, 40};
  result.cells[0].evaluations[1].counts.depth[9] = {60, 60};
  result.cells[0].evaluations[3].shortcuts = {{"last key token", 0.2}, {"any value", 0.03}};
  result.cells[0].evaluations[3].quantities = {{"pairs", 100}, {"context_tokens", 250}};
  result.cells[1].evaluations[3].counts = {};
  result.cells[1].evaluations[3].given_up = true;
  for (CellRow& row : result.cells)
    for (Evaluation& evaluation : row.evaluations)
      if (&evaluation != &result.cells[0].evaluations[2]) evaluation.outcomes.clear();
  result.cells[2].train.loss = std::numeric_limits<double>::quiet_NaN();
  result.cells[2].train.tokens_per_second = std::numeric_limits<double>::infinity();
  result.cells[5].evaluations = {test::evaluation("test", 1, 0, 0)};
  return result;
}

std::string complaint(const Json& json) {
  try {
    result_from_json(json, "r.json");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

/// Calls visit(pointer) for every value below `json`, itself left out.
template <class Visit>
void each_value(const Json& json, const Json::json_pointer& at, const Visit& visit) {
  if (!json.is_structured()) return;
  for (const auto& item : json.items()) {
    const Json::json_pointer below =
        json.is_array() ? at / static_cast<std::size_t>(std::stoul(item.key())) : at / item.key();
    visit(below);
    each_value(item.value(), below, visit);
  }
}

}  // namespace

TEST_CASE("A result is written byte for byte as its golden file", "[golden]") {
  const std::string path = std::string(ATTNSPAN_GOLDEN) + "/result-v2.json";
  CHECK(to_text(result_document(example())) == read_file(path, 1 << 20));
  CHECK(to_text(result_document(load_result(path))) == read_file(path, 1 << 20));
}

TEST_CASE("A result of version 1 is read with what it has", "[golden]") {
  const Result result = load_result(std::string(ATTNSPAN_GOLDEN) + "/result-v1.json");
  Result expected = example();
  expected.cells[1].evaluations[3] = test::evaluation("test", 16, 0, 100);
  for (CellRow& row : expected.cells) {
    row.settings = Json::object();
    row.numerics = 0;
    for (Evaluation& evaluation : row.evaluations) {
      evaluation.outcomes.clear();
      evaluation.shortcuts.clear();
      evaluation.quantities.clear();
      evaluation.counts.log_likelihood = std::nan("");
    }
  }
  REQUIRE(result.cells.size() == expected.cells.size());
  for (std::size_t i = 0; i < result.cells.size(); ++i)
    CHECK(to_text(to_json(result.cells[i])) == to_text(to_json(expected.cells[i])));
}

TEST_CASE("Rows of version 1 get their settings from the spec", "[unit]") {
  Json json =
      parse_json(read_file(std::string(ATTNSPAN_GOLDEN) + "/result-v1.json", 1 << 20), "v1", false);
  json["spec"] = parse_json(
      R"({"task": [{"task": "recall:pairs=8,queries=2", "steps": 7}, "recall:pairs=4,queries=2",
                   "copy:symbols=3"],
          "attention": ["softmax"], "learning_rates": [0.001], "seeds": 2, "steps": 5, "seed": 3,
          "early_stop": true})",
      "spec", false);
  json["cells"][1]["task"] = "recall:pairs=4";
  json["cells"][2]["task"] = "sort";
  const Result result = result_from_json(json, "v1");
  CHECK(to_line(result.cells[0].settings) ==
        R"({"steps":7,"seed":3,"early_stop":true,"task":"recall:pairs=8,queries=2"})");
  CHECK(to_line(result.cells[1].settings) ==
        R"({"steps":5,"seed":3,"early_stop":true,"task":"recall:pairs=4,queries=2"})");
  CHECK(to_line(result.cells[2].settings) == R"({"steps":5,"seed":3,"early_stop":true})");
}

TEST_CASE("A row survives writing and reading", "[unit]") {
  for (const CellRow& row : example().cells) {
    const Json json = to_json(row);
    const CellRow back = row_from_json(parse_json(to_line(json), "row", false));
    CHECK(to_line(to_json(back)) == to_line(json));
    CHECK(back.key == row.key);
    CHECK(back.status == row.status);
    CHECK(back.message == row.message);
    CHECK(back.train.tokens == row.train.tokens);
    CHECK(back.evaluations.size() == row.evaluations.size());
  }
}

TEST_CASE("Counts survive up to their limits, larger ones are refused", "[unit]") {
  CellRow row = cell("softmax", 0.001, 0, 100, {});
  row.train.tokens = std::int64_t{1} << 53;
  CHECK(row_from_json(parse_json(to_line(to_json(row)), "row", false)).train.tokens ==
        row.train.tokens);
  row.train.tokens += 1;
  CHECK_THROWS_AS(row_from_json(to_json(row)), InputError);
  row.train.tokens = 0;

  // What tables add up has less room, so that sums stay within 64 bits.
  std::int64_t& answer_tokens = row.evaluations[0].counts.answer_tokens;
  answer_tokens = std::int64_t{1} << 40;
  CHECK(row_from_json(to_json(row)).evaluations[0].counts.answer_tokens == std::int64_t{1} << 40);
  answer_tokens += 1;
  CHECK_THROWS_AS(row_from_json(to_json(row)), InputError);
}

TEST_CASE("A number that is not finite is null in JSON and NaN once read", "[unit]") {
  CellRow row = lost_cell("softmax", 0.001, 0, Status::diverged);
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    row.train.loss = value;
    const Json json = to_json(row);
    CHECK(json["train"]["loss"].is_null());
    CHECK(std::isnan(row_from_json(json).train.loss));
  }
}

TEST_CASE("Every field of a cell is needed, typed and known", "[property]") {
  const Json result = result_document(example());
  int visited = 0;
  each_value(result["cells"], Json::json_pointer("/cells"), [&](const Json::json_pointer& at) {
    const Json& value = result.at(at);
    const std::string name = at.back();
    INFO(at.to_string());
    // Settings are free in form; of what came of the samples, the list as a whole is tried.
    const auto lies_in = [&](const char* place) {
      return at.to_string().find(place) != std::string::npos;
    };
    if (lies_in("/settings/") || lies_in("/outcomes/right_tokens/")) return;
    ++visited;
    const auto refused = [&](const Json& replacement) {
      Json broken = result;
      broken[at] = replacement;
      return complaint(broken).find("r.json.cells[") == 0;
    };
    const bool in_list = result.at(at.parent_pointer()).is_array();
    if (!in_list && name != "depth" && !lies_in("/shortcuts/") && !lies_in("/quantities/")) {
      Json broken = result;
      broken[at.parent_pointer()].erase(name);
      CHECK(complaint(broken).find("." + name + " is missing") != std::string::npos);
    }
    if (value.is_object() && name != "settings" && name != "shortcuts" && name != "quantities") {
      Json broken = result;
      broken[at]["surplus"] = 1;
      CHECK(complaint(broken).find("unknown field of r.json.cells[") == 0);
    }
    CHECK(refused(Json::array({Json::object()})));
    if (!value.is_boolean()) CHECK(refused(true));
    if (!value.is_string()) CHECK(refused("text"));
    if (!value.is_null() && name != "loss" && name != "seconds" && name != "tokens_per_second" &&
        name != "log_likelihood" && name != "outcomes")
      CHECK(refused(nullptr));
    if (name != "loss" && name != "log_likelihood") CHECK(refused(-1));
    CHECK(refused(1e300));
    if (value.is_number_integer()) {
      CHECK(refused(0.5));
      CHECK(refused(std::numeric_limits<std::uint64_t>::max()));
    }
  });
  CHECK(visited > 150);
}

TEST_CASE("Figures that cannot be are refused, with their place", "[unit]") {
  const auto refused = [](const char* at, const Json& value) {
    Json broken = result_document(example());
    broken[Json::json_pointer(at)] = value;
    return complaint(broken);
  };
  CHECK(refused("/cells/0/evaluations/1/exact", 101) ==
        "r.json.cells[0].evaluations[1].exact must be a whole number from 0 to 100");
  CHECK(refused("/cells/0/evaluations/1/exact_match", 0.5) ==
        "r.json.cells[0].evaluations[1].exact_match must be 1.0, as the counts say");
  CHECK(refused("/cells/0/evaluations/1/exact_match_ci95/0", 0.5) != "");
  CHECK(refused("/cells/0/evaluations/1/split", "tset").find("did you mean 'test'?") !=
        std::string::npos);
  CHECK(refused("/cells/0/evaluations/2/multiple", 1) ==
        "r.json.cells[0].evaluations[2] repeats the multiple 1 of the split test");
  CHECK(refused("/cells/0/evaluations/1/depth/samples/9", 61) ==
        "r.json.cells[0].evaluations[1].depth.samples must have whole numbers that add up to what "
        "was counted");
  CHECK(refused("/cells/0/evaluations/1/depth/samples/0", 39) ==
        "r.json.cells[0].evaluations[1].depth.exact has more exact samples than samples");
  CHECK(refused("/cells/0/evaluations/1/depth/exact", Json::array({1})) ==
        "r.json.cells[0].evaluations[1].depth.exact must have 10 entries, not 1");
  CHECK(refused("/cells/0/evaluations/3/shortcuts/any value", 101) != "");
  for (const char* exact : {"", "11", "2"})
    CHECK(refused("/cells/0/evaluations/2/outcomes/exact", exact) ==
          "r.json.cells[0].evaluations[2].outcomes.exact must have a 1 for each exact sample and a "
          "0 for each other one");
  CHECK(refused("/cells/0/evaluations/2/outcomes/right_tokens/0", 1) ==
        "r.json.cells[0].evaluations[2].outcomes.right_tokens must add up to 190");
  CHECK(refused("/cells/1/evaluations/2/given_up", true) ==
        "r.json.cells[1].evaluations[2].samples must be 0, since the evaluation was given up");
  CHECK(refused("/cells/0/metric", "exact_macth").find("did you mean 'exact_match'?") !=
        std::string::npos);
  CHECK(refused("/cells/0/settings", Json::parse(R"({"a": ["\u001b"]})")) ==
        "r.json.cells[0].settings holds control characters");
  CHECK(refused("/cells/0/settings", Json::parse(R"({"a\nb": 1})")) ==
        "a key of r.json.cells[0].settings holds control characters");
  CHECK(refused("/cells/0/message", "so so") ==
        "r.json.cells[0].message must be empty, since the cell is done");
  CHECK(refused("/cells/2/message", "") ==
        "r.json.cells[2].message must say why the cell is not done");
  CHECK(refused("/cells/2/evaluations", result_document(example())["cells"][0]["evaluations"]) ==
        "r.json.cells[2].evaluations must be empty, since the cell is not done");
  CHECK(refused("/cells/1/key", result_document(example())["cells"][0]["key"])
            .find("r.json.cells[1] "
                  "repeats the cell") == 0);
  CHECK(refused("/cells/0/task", "re\ncall") == "r.json.cells[0].task holds control characters");
}

TEST_CASE("Only results of this schema version and those before it are read", "[unit]") {
  Json json = result_document(example());
  CHECK(complaint(json) == "");
  for (const Json& version : {Json(3), Json(0), Json("1"), Json(nullptr), Json(1.5)}) {
    json["schema_version"] = version;
    CHECK(complaint(json) == "r.json has schema version " + to_line(version) +
                                 "; this attnspan reads versions 1 to 2");
  }
  json.erase("schema_version");
  CHECK(complaint(json) == "r.json is not an attnspan results file: it has no schema_version");
  CHECK(complaint(Json::array()) == "r.json must be an object, not array");
  CHECK(complaint(Json(1)) == "r.json must be an object, not number");
  json = result_document(example());
  json["spec"] = 1;
  CHECK(complaint(json) == "r.json.spec must be an object");
  json = result_document(example());
  json["extra"] = 1;
  CHECK(complaint(json).find("unknown field of r.json 'extra'") == 0);
}

TEST_CASE("Truncated and damaged results are refused or read, nothing else", "[property]") {
  const std::string text = to_line(result_document(example()));
  const auto read = [](const std::string& bytes) {
    try {
      result_from_json(parse_json(bytes, "r.json", false), "r.json");
      return true;
    } catch (const InputError&) {
      return false;
    }
  };
  CHECK(read(text));
  for (std::size_t length = 0; length < text.size(); length += 7)
    if (read(text.substr(0, length))) FAIL("a text of " << length << " bytes was read");
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    Rng rng(1, Stream::preview, trial);
    std::string damaged = text;
    for (int change = 0; change < 3; ++change)
      damaged[rng.below(static_cast<std::uint32_t>(text.size()))] =
          "0123456789-+.eE{}[]\",: \xff"[rng.below(24)];
    read(damaged);
  }
}

TEST_CASE("Timings are dropped wherever they stand", "[unit]") {
  Result first = example();
  Result second = example();
  second.context["date"] = "2027-01-01T00:00:00Z";
  second.cells[0].train.seconds = 99;
  second.cells[0].train.tokens_per_second = 99;
  second.cells[1].evaluations[0].seconds = 99;
  CHECK(result_document(first) != result_document(second));
  CHECK(without_timings(result_document(first)) == without_timings(result_document(second)));
  second.cells[1].train.steps += 1;
  CHECK(without_timings(result_document(first)) != without_timings(result_document(second)));
}

TEST_CASE("Merging folds equal cells and names a conflict", "[unit]") {
  Result first;
  first.origin = "a.json";
  first.cells = {cell("softmax", 0.001, 0, 100, {100}), cell("softmax", 0.001, 1, 100, {100})};
  Result second = first;
  second.origin = "b.json";
  second.cells[0].train.seconds = 99;
  second.cells.push_back(cell("softmax", 0.001, 2, 100, {100}));

  const std::vector<CellRow> cells = merge_cells({first, second});
  REQUIRE(cells.size() == 3);
  CHECK(cells[0].train.seconds == first.cells[0].train.seconds);
  CHECK(cells[2].seed == 2);

  second.cells[1] = cell("softmax", 0.001, 1, 100, {99});
  try {
    merge_cells({first, second});
    FAIL("the conflict was not seen");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()) == "the cell '" + first.cells[1].key +
                                           "' has one outcome in a.json and another in b.json; "
                                           "leave one of them out");
  }
}

TEST_CASE("A results file that is none is told by its path", "[unit]") {
  CHECK_THROWS_AS(load_result("/nonexistent/results.json"), FileError);
  CHECK_THROWS_AS(load_result("/dev/null"), InputError);
}
