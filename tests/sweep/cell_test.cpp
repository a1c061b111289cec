#include "sweep/cell.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/presets.hpp"

using namespace attnspan;

namespace {

std::vector<Cell> cells(const std::string& spec) {
  return expand(resolve_spec(parse_spec(spec, "spec"), Json::object()));
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(const std::string& spec) {
  return refusal([&] { cells(spec); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

/// 2 x 2 x 2 x 1 x 2 x 3 cells of very different cost.
const char* const mixed = R"({
  "task": [{"task": "copy", "steps": 50}, {"task": "sort", "multiples": [1, 100]}],
  "train_length": [4, 16], "attention": ["softmax", "asentmax"], "learning_rates": [1e-3, 3e-3],
  "seeds": 3, "steps": 10, "d_model": 16, "heads": 2, "d_ff": 16
})";

}  // namespace

TEST_CASE("cells come in a fixed order with readable keys", "[unit]") {
  const std::vector<Cell> all = cells(mixed);
  REQUIRE(all.size() == 48);
  CHECK(all[0].key == "copy/softmax/nape/n4/lr0.001/seed0");
  CHECK(all[1].key == "copy/softmax/nape/n4/lr0.001/seed1");
  CHECK(all[3].key == "copy/softmax/nape/n4/lr0.003/seed0");
  CHECK(all[6].key == "copy/asentmax/nape/n4/lr0.001/seed0");
  CHECK(all[12].key == "copy/softmax/nape/n16/lr0.001/seed0");
  CHECK(all[24].key == "sort/softmax/nape/n4/lr0.001/seed0");
  CHECK(all[47].key == "sort/asentmax/nape/n16/lr0.003/seed2");
  CHECK(all[0].training.steps == 50);
  CHECK(all[47].training.steps == 10);
  CHECK(all[47].training.replicate == 2);
  CHECK(all[47].training.learning_rate == 3e-3);
}

TEST_CASE("a key names the settings of which a task has several values", "[unit]") {
  const std::vector<Cell> all = cells(R"({"task": ["copy", {"task": "sort", "layers": 2}],
      "layers": [1, 2], "weight_decay": [0, 0.1], "train_length": [8, 4], "early_stop": true})");
  REQUIRE(all.size() == 12);
  CHECK(all[0].key == "copy/softmax/nape/n8/lr0.001/layers=1/weight_decay=0/seed0");
  CHECK(all[1].key == "copy/softmax/nape/n8/lr0.001/layers=1/weight_decay=0.1/seed0");
  CHECK(all[2].key == "copy/softmax/nape/n8/lr0.001/layers=2/weight_decay=0/seed0");
  CHECK(all[4].key == "copy/softmax/nape/n4/lr0.001/layers=1/weight_decay=0/seed0");
  CHECK(all[8].key == "sort/softmax/nape/n8/lr0.001/weight_decay=0/seed0");
  CHECK(all[1].training.weight_decay == 0.1);
  CHECK(all[1].settings["weight_decay"] == 0.1);
  CHECK(all[4].training.train_length == 4);
  CHECK_FALSE(all[4].settings.contains("train_length"));
}

TEST_CASE("identity is what training depends on, and nothing else", "[unit]") {
  const auto identity_of = [](const std::string& more) {
    return identity(cells(R"({"task": "copy")" + more + "}").back());
  };
  const std::string plain = identity_of("");
  for (const char* same :
       {R"(, "multiples": [1, 3])", R"(, "test_samples": 5)", R"(, "validation_samples": 5)",
        R"(, "validation_multiples": [1, 2])", R"(, "layers": [1, 2])", R"(, "tune": "layers")",
        R"(, "attention": ["ssmax", "softmax"])", R"(, "test_at": 7)", R"(, "give_up": true)"})
    CHECK(identity_of(same) == plain);
  std::set<std::string> others{plain};
  for (const SettingKey& key : setting_keys()) {
    if (!key.is_axis()) continue;
    INFO(key.name);
    Json value = key.value(Settings{});
    if (value.is_boolean())
      value = !value.get<bool>();
    else if (value.is_number())
      value = value == key.minimum ? key.maximum : key.minimum;
    else
      value = std::map<std::string_view, const char*>{{"attention", "ssmax"},
                                                      {"position", "nope"},
                                                      {"output_gate", "head"},
                                                      {"feed_forward", "swiglu"}}
                  .at(key.name);
    Settings settings;
    key.assign(settings, value);
    Cell cell;
    cell.task = make_task("copy");
    cell.model = settings.model;
    cell.training = settings.training;
    cell.settings = training_settings(cell.task, settings);
    CHECK(others.insert(identity(cell)).second);
  }
  CHECK(others.insert(identity_of(R"(, "seeds": 2)")).second);
  CHECK(others.insert(identity_of(R"(, "early_stop": true, "validation_samples": 5)")).second);
}

TEST_CASE("a setting that a row does not have stands at its default", "[unit]") {
  const Cell cell = cells(R"({"task": "copy"})")[0];
  CellRow row = empty_row(cell);
  row.settings.erase("clip");
  CHECK(identity(row) == identity(cell));
  row.settings["task"] = "copy:symbols=32";
  CHECK(identity(row) == identity(cell));
  row.settings["task"] = "copy:symbols=31";
  CHECK(identity(row) != identity(cell));
  row.settings["task"] = cell.settings["task"];
  row.settings["clip"] = 2;
  CHECK(identity(row) != identity(cell));
}

TEST_CASE("a cell that two entries name comes once, with the tests of both", "[unit]") {
  const std::vector<Cell> all = cells(R"({"task": [{"task": "copy", "multiples": [1, 3]},
      {"task": "copy", "attention": ["ssmax", "softmax"], "multiples": [1, 2], "test_samples": 9,
       "steps": [1000, 7]}], "test_samples": 5})");
  REQUIRE(all.size() == 4);
  CHECK(all[0].key == "copy/softmax/nape/n16/lr0.001/steps=1000/seed0");
  REQUIRE(all[0].tests.size() == 4);
  CHECK(all[0].tests[1].samples == 9);
  CHECK(all[0].tests[2].multiple == 2);
  CHECK(all[0].tests[3].multiple == 3);
  CHECK(all[0].tests[3].samples == 5);
  CHECK(all[1].tests.size() == 3);
}

TEST_CASE("keys are unique, in presets too", "[property]") {
  std::vector<std::string> texts{
      mixed, R"({"task": ["recall", "recall:queries=2", "recall:layout=grouped,queries=2"]})"};
  for (const Preset& preset : preset_catalog()) texts.push_back(preset.text);
  for (const std::string& text : texts) {
    std::set<std::string> keys;
    for (const Cell& cell : cells(text)) CHECK(keys.insert(cell.key).second);
  }
}

TEST_CASE("test lengths are rounded multiples, and long ones may have fewer samples", "[unit]") {
  const Cell cell = cells(R"({"task": "copy", "train_length": 5, "multiples": [1.5, 100, 1],
                              "test_samples": 64, "test_tokens": 6000, "validation_samples": 32,
                              "validation_multiples": [4, 1]})")[0];
  REQUIRE(cell.tests.size() == 5);
  for (const std::size_t validation : {0u, 1u})
    CHECK(cell.tests[validation].stream == Stream::validation);
  CHECK(cell.tests[0].length == 5);
  CHECK(cell.tests[0].samples == 32);
  CHECK(cell.tests[1].length == 20);
  CHECK(cell.tests[2].stream == Stream::test);
  CHECK(cell.tests[2].length == 5);
  CHECK(cell.tests[3].length == 8);
  CHECK(cell.tests[4].length == 500);
  CHECK(cell.tests[2].samples == 64);
  const std::int64_t tokens = cell.task.task->total_tokens(500, Purpose::evaluation);
  CHECK(cell.tests[4].samples == 6000 / tokens);
  CHECK(cells(R"({"task": "copy", "multiples": 1000, "test_tokens": 1})")[0].tests[1].samples == 1);
}

TEST_CASE("the shortest training length is one that the task takes", "[unit]") {
  CHECK(cells(R"({"task": "copy", "train_length": 16})")[0].training.min_train_length == 4);
  CHECK(cells(R"({"task": "copy", "train_length": 2})")[0].training.min_train_length == 1);
  CHECK(cells(R"({"task": "copy", "min_train_length": 7})")[0].training.min_train_length == 7);
  const Cell recall = cells(R"({"task": "recall", "train_length": 16})")[0];
  const std::int64_t shortest = recall.training.min_train_length;
  CHECK_NOTHROW(recall.task.task->check_length(shortest));
  CHECK(shortest > 4);  // a quarter has no room for a pair
  CHECK(contains(refusal([&] { recall.task.task->check_length(shortest - 1); }), "recall"));
  CHECK(contains(refusal(R"({"task": "copy", "min_train_length": 17})"), "above train_length"));
}

TEST_CASE("cells that cannot exist are refused before anything runs", "[unit]") {
  CHECK(contains(refusal(R"({"task": "copy", "heads": 3})"), "divide"));
  CHECK(contains(refusal(R"({"task": "copy", "position": "rope", "d_model": 6, "heads": 2})"),
                 "even"));
  CHECK(contains(refusal(R"({"task": "copy", "multiples": 0.01})"), "multiple 0.01"));
  CHECK(contains(refusal(R"({"task": "copy", "multiples": 1e7})"), "multiple"));
  CHECK(contains(refusal(R"({"task": "recall", "train_length": 2})"), "recall"));
  CHECK(contains(refusal(R"({"task": ["copy", "sort"], "seeds": 1000, "train_length":
      [1,2,3,4,5,6,7,8,9,10], "learning_rates": [1e-1,1e-2,1e-3,1e-4,1e-5,1e-6]})"),
                 "at most 100000"));
}

TEST_CASE("a cell that needs more memory than there is is refused with what to lower", "[unit]") {
  const std::vector<Cell> small = cells(R"({"task": "copy"})");
  CHECK_NOTHROW(check_memory(small, 2, 8e9));
  CHECK(contains(refusal([&] { check_memory(small, 2, 1e5); }), "lower --d-model"));
  const std::vector<Cell> long_test = cells(R"({"task": "copy", "multiples": 1e5})");
  const double training = peak_bytes(small[0], 1);
  CHECK(peak_bytes(long_test[0], 1) > 2 * training);
  CHECK(contains(refusal([&] { check_memory(long_test, 1, 1.5 * training); }), "--multiples"));
}

TEST_CASE("longer training and longer tests cost more", "[unit]") {
  const CellCost one = cost(cells(R"({"task": "copy", "steps": 100})")[0]);
  const CellCost two = cost(cells(R"({"task": "copy", "steps": 200})")[0]);
  CHECK(two.training_flops == Approx(2 * one.training_flops));
  CHECK(two.evaluation_flops == one.evaluation_flops);
  const CellCost longer =
      cost(cells(R"({"task": "copy", "steps": 100, "multiples": [1, 1000]})")[0]);
  CHECK(longer.evaluation_flops > one.evaluation_flops);
}

TEST_CASE("shards are disjoint, complete and balanced by cost", "[property]") {
  const std::vector<Cell> all = cells(mixed);
  double total = 0, largest = 0;
  for (const Cell& cell : all) {
    total += cost(cell).flops();
    largest = std::max(largest, cost(cell).flops());
  }
  for (const std::size_t count : {1u, 2u, 3u, 7u, 48u, 60u}) {
    std::vector<std::size_t> seen;
    for (std::size_t index = 1; index <= count; ++index) {
      const std::vector<std::size_t> mine = shard_cells(all, {index, count});
      CHECK(std::is_sorted(mine.begin(), mine.end()));
      double load = 0;
      for (const std::size_t cell : mine) load += cost(all[cell]).flops();
      // What longest-first guarantees: no shard exceeds its share by more than one cell.
      CHECK(load <= total / static_cast<double>(count) + largest);
      seen.insert(seen.end(), mine.begin(), mine.end());
    }
    std::sort(seen.begin(), seen.end());
    REQUIRE(seen.size() == all.size());
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == i);
  }
}

TEST_CASE("two shards are even where cheap and expensive cells take turns", "[unit]") {
  const std::vector<Cell> all =
      cells(R"({"task": "copy", "train_length": [2, 64, 3, 63, 4, 62, 5, 61], "multiples": 1})");
  double loads[2] = {0, 0};
  for (const std::size_t index : {1u, 2u})
    for (const std::size_t cell : shard_cells(all, {index, 2}))
      loads[index - 1] += cost(all[cell]).flops();
  CHECK(loads[0] == Approx(loads[1]).epsilon(0.1));
}

TEST_CASE("a shard is read as i/n", "[unit]") {
  CHECK(parse_shard("2/8").index == 2);
  CHECK(parse_shard("2/8").count == 8);
  for (const char* text : {"", "2", "0/8", "9/8", "-1/8", "1/0", "a/b", "1/2/3", "1/", "/2",
                           "1/99999999999999999999"}) {
    INFO(text);
    CHECK(refusal([&] { parse_shard(text); }) != "accepted");
  }
}
