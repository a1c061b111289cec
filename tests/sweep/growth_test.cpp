#include "sweep/growth.hpp"

#include <set>
#include <string>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "sweep/cell.hpp"

using namespace attnspan;

namespace {

SweepSpec resolve(const std::string& keys) {
  return resolve_spec(parse_spec("{" + keys + "}", "spec"), Json::object());
}

std::string refusal(const std::string& there, const std::string& here) {
  try {
    grow(resolve(there), resolve(here), false);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Every test of every cell: "identity split multiple samples".
std::set<std::string> tests(const SweepSpec& spec) {
  std::set<std::string> all;
  for (const Cell& cell : expand(spec))
    for (const TestPoint& point : cell.tests)
      all.insert(identity(cell) + " " + std::to_string(static_cast<int>(point.stream)) + " " +
                 std::to_string(point.multiple) + " " + std::to_string(point.samples));
  return all;
}

std::size_t entries(const SweepSpec& spec) { return spec.tasks.size(); }

}  // namespace

TEST_CASE("a grown sweep has every test of both and no other", "[property]") {
  const std::vector<std::string> sweeps{
      R"("task": "copy")",
      R"("task": "copy", "attention": ["softmax", "ssmax"])",
      R"("task": "copy", "attention": "entmax", "learning_rates": [1e-3, 2e-3])",
      R"("task": ["sort", "copy"], "seeds": 3)",
      R"("task": "copy", "multiples": [1, 32])",
      R"("task": "copy", "multiples": [1, 2, 4, 8, 16, 32], "seeds": 2)",
      R"("task": "copy", "validation_multiples": [1, 4], "attention": "ssmax")",
      R"("task": "copy", "layers": [1, 2, 3])",
      R"("task": [{"task": "copy", "steps": [10, 1000]}, {"task": "copy", "heads": [4, 8]}])",
      R"("task": "copy", "train_length": [16, 8], "position": ["nope", "nape"])"};
  for (const std::string& there : sweeps)
    for (const std::string& here : sweeps) {
      INFO(there << " and " << here);
      const SweepSpec one = resolve(there), other = resolve(here);
      std::set<std::string> both = tests(one);
      both.merge(tests(other));
      const SweepSpec grown = grow(one, other, false);
      CHECK(tests(grown) == both);
      // What is there is grown no further, and a grown spec is a spec.
      CHECK(to_json(grow(grown, other, false)) == to_json(grown));
      CHECK(to_json(resolve_spec(to_json(grown), Json::object())) == to_json(grown));
    }
}

TEST_CASE("a sweep that goes on is the text that it was, wherever its entries say the same",
          "[unit]") {
  const std::string by_entry = R"("task": [{"task": "copy", "position": "rope", "seeds": 2},
                                           {"task": "sort", "position": "rope", "seeds": 3}])";
  const std::string once = R"("task": [{"task": "copy", "seeds": 2}, {"task": "sort", "seeds": 3}],
                              "position": "rope")";
  const Json text = to_json(resolve(by_entry));
  CHECK(text["position"] == "rope");
  CHECK(text == to_json(resolve(once)));
  CHECK(text == to_json(grow(resolve(by_entry), resolve(by_entry), false)));
  CHECK(text == to_json(grow(resolve(once), resolve(by_entry), false)));
}

TEST_CASE("what is one product of axes stays one entry", "[unit]") {
  const std::string copy = R"("task": "copy", "attention": ["softmax", "ssmax"])";
  const auto grown = [&](const std::string& here) {
    return grow(resolve(copy), resolve(here), false);
  };
  CHECK(entries(grown(R"("task": "copy", "attention": ["entmax", "softmax"])")) == 1);
  CHECK(to_json(grown(R"("task": "copy", "attention": ["entmax", "softmax"])"))["attention"] ==
        Json({"softmax", "ssmax", "entmax"}));
  CHECK(to_json(grown(copy + R"(, "seeds": 3)"))["seeds"] == 3);
  CHECK(to_json(grown(copy + R"(, "multiples": [3])"))["multiples"] == Json({1, 2, 3, 4, 8, 16}));
  CHECK(to_json(grown(copy + R"(, "layers": [2, 1])"))["layers"] == Json({2, 1}));
  CHECK(entries(grown(copy + R"(, "seeds": 3, "multiples": [3])")) == 2);
  CHECK(entries(grown(R"("task": ["copy", "sort"], "attention": ["softmax", "ssmax"])")) == 2);
  CHECK(to_json(grown(copy + R"(, "tune": "layers")"))["tune"] == Json({"layers"}));
}

TEST_CASE("more samples replace fewer, and fewer change nothing", "[unit]") {
  const auto samples = [](const std::string& there, const std::string& here) {
    return to_json(grow(resolve(R"("task": "copy", "test_samples": )" + there),
                        resolve(R"("task": "copy", "test_samples": )" + here),
                        false))["test_samples"];
  };
  CHECK(samples("100", "200") == 200);
  CHECK(samples("200", "100") == 200);
}

TEST_CASE("a difference that is no axis is refused with both values, unless it is added",
          "[unit]") {
  CHECK(refusal(R"("task": "copy", "steps": 30)", R"("task": "copy", "steps": 31)") ==
        "for copy steps is 30 there and 31 here");
  CHECK(refusal(R"("task": "copy")", R"("task": "copy", "seed": 1)") ==
        "for copy seed is 0 there and 1 here");
  CHECK(refusal(R"("task": "copy", "steps": [30, 31])", R"("task": "copy", "steps": 32)") ==
        "accepted");
  CHECK(refusal(R"("task": "copy", "steps": 30)", R"("task": "sort", "steps": 31)") == "accepted");
  // Of several entries the one that is nearest says what was meant.
  CHECK(
      refusal(R"("task": [{"task": "copy", "heads": 4, "d_ff": 64}, {"task": "copy", "d_ff": 32}])",
              R"("task": "copy", "d_ff": 33)") == "for copy d_ff is 32 there and 33 here");
  const SweepSpec both = grow(resolve(R"("task": "copy", "steps": 30)"),
                              resolve(R"("task": "copy", "steps": 31)"), true);
  CHECK(to_json(both)["steps"] == Json({30, 31}));
}
