#include "sweep/spec.hpp"

#include <functional>
#include <string>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "sweep/presets.hpp"

using namespace attnspan;

namespace {

SweepSpec resolve(const std::string& spec, const Json& flags = Json::object()) {
  return resolve_spec(parse_spec(spec, "spec.json"), flags);
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
  return refusal([&] { resolve(spec); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

const SettingKey& key(const std::string& name) {
  for (const SettingKey& candidate : setting_keys())
    if (candidate.name == name) return candidate;
  throw InputError("no key " + name);
}

}  // namespace

TEST_CASE("a spec is JSON with comments; lists of one may be the value alone", "[unit]") {
  const SweepSpec spec = resolve(R"({
    // what to learn
    "task": "copy", /* and where */ "train_length": [8, 16], "attention": "softmax", "steps": 7
  })");
  REQUIRE(spec.tasks.size() == 1);
  const Grid& grid = spec.tasks[0].grid;
  CHECK(grid.to_json(key("train_length")) == Json({8, 16}));
  CHECK(grid.to_json(key("attention")) == "softmax");
  CHECK(grid.settings.training.steps == 7);
  CHECK(grid.settings.model.layers == ModelConfig{}.layers);
}

TEST_CASE("an unknown key is refused and the nearest one named, at the top and in a task",
          "[unit]") {
  CHECK(contains(refusal(R"({"task": "copy", "stepz": 5})"), "did you mean 'steps'?"));
  CHECK(contains(refusal(R"({"tasks": "copy"})"), "did you mean 'task'?"));
  CHECK(contains(refusal(R"({"task": [{"task": "copy", "multiple": 2}]})"),
                 "did you mean 'multiples'?"));
  CHECK(contains(refusal(R"({"task": [{"steps": 2}]})"), "lacks the key \"task\""));
}

TEST_CASE("every key refuses what it cannot hold", "[unit]") {
  for (const SettingKey& setting : setting_keys()) {
    INFO(setting.name);
    const auto refused = [&](const Json& value) {
      return refusal([&] {
               resolve_spec({{"task", "copy"}, {setting.name, value}}, Json::object());
             }) != "accepted";
    };
    CHECK(refused(nullptr));
    CHECK(refused(Json::object()));
    CHECK(refused(Json::array()) != setting.may_be_empty);
    CHECK(refused(Json::array({Json::array({1})})));
    CHECK(refused("surely no name"));
    CHECK(refused(-1));
    CHECK(refused(1e300));
    const Json value = setting.value(Settings{});
    CHECK(refused(true) != value.is_boolean());
    if (value.is_number_integer()) CHECK(refused(1.5));
    // Several values are an axis, or the one value is a list.
    if (value.is_number_integer())
      CHECK(refused(Json::array({setting.maximum, setting.minimum})) != setting.is_axis());
  }
}

TEST_CASE("zero is refused where nothing would be done", "[unit]") {
  for (const char* name : {"train_length", "seeds", "multiples", "learning_rates", "test_samples",
                           "validation_samples", "layers", "heads", "d_model", "d_ff", "steps",
                           "batch_size", "clip", "validate_every"}) {
    INFO(name);
    CHECK(contains(refusal([&] {
                     resolve_spec({{"task", "copy"}, {name, 0}}, Json::object());
                   }),
                   std::string(name) + " must be from"));
  }
}

TEST_CASE("values that occur twice are refused, also under another name", "[unit]") {
  CHECK(contains(refusal(R"({"task": ["copy", "copy"]})"), "twice"));
  CHECK(contains(refusal(R"({"task": ["copy", "copy:symbols=32"]})"), "twice"));
  CHECK(
      contains(refusal(R"({"task": "copy", "attention": ["softmax", "softmax+none"]})"), "twice"));
  CHECK(contains(refusal(R"({"task": "copy", "multiples": [1, 2, 1.0]})"), "twice"));
}

TEST_CASE("names of variants are canonical and checked", "[unit]") {
  CHECK(resolve(R"({"task": "copy", "attention": "entmax:1.5"})").grid.settings.model.attention ==
        resolve(R"({"task": "copy", "attention": "entmax"})").grid.settings.model.attention);
  CHECK(contains(refusal(R"({"task": "copy", "attention": "sofmax"})"), "softmax"));
  CHECK(contains(refusal(R"({"task": "copy", "position": "napee"})"), "nape"));
  CHECK(contains(refusal(R"({"task": "coppy"})"), "copy"));
}

TEST_CASE("a task's own settings go before the spec's, and flags before both", "[unit]") {
  const std::string text = R"({
    "task": [{"task": "copy", "steps": 20, "multiples": [1, 2]}, "sort"],
    "steps": 10
  })";
  const SweepSpec plain = resolve(text);
  CHECK(plain.tasks[0].grid.settings.training.steps == 20);
  CHECK(plain.tasks[0].grid.settings.testing.multiples == std::vector<double>{1, 2});
  CHECK(plain.tasks[1].grid.settings.training.steps == 10);

  const SweepSpec flagged = resolve(text, {{"steps", 30}});
  CHECK(flagged.grid.settings.training.steps == 30);
  CHECK(flagged.tasks[0].grid.settings.training.steps == 30);
  CHECK(flagged.tasks[1].grid.settings.training.steps == 30);
  CHECK(flagged.tasks[0].grid.settings.testing.multiples == std::vector<double>{1, 2});
}

TEST_CASE("every setting that training depends on can be an axis", "[unit]") {
  const SweepSpec spec = resolve(R"({"task": ["copy", {"task": "sort", "weight_decay": 0.5}],
      "layers": [2, 1], "weight_decay": [0, 0.1], "tune": ["learning_rates", "weight_decay"]})");
  CHECK(spec.tasks[0].grid.to_json(key("layers")) == Json({2, 1}));
  CHECK(spec.tasks[0].grid.settings.model.layers == 2);
  CHECK(spec.tasks[0].grid.to_json(key("weight_decay")) == Json({0, 0.1}));
  CHECK(spec.tasks[1].grid.to_json(key("weight_decay")) == Json(0.5));
  CHECK(spec.grid.settings.design.tune ==
        std::vector<std::string>{"learning_rates", "weight_decay"});
  CHECK(resolve(R"({"task": "copy", "tune": []})").grid.settings.design.tune.empty());
  CHECK(contains(refusal(R"({"task": "copy", "tune": "multiples"})"), "unknown axis in tune"));
  CHECK(contains(refusal(R"({"task": "copy", "tune": "weight-decay"})"), "'weight_decay'?"));
  CHECK(contains(refusal(R"({"task": {"task": "copy", "tune": "steps"}})"), "whole sweep"));
  CHECK(contains(refusal(R"({"task": "copy", "layers": [1, 2, 1]})"), "the value 1 twice"));
}

TEST_CASE("a task may have several entries, as long as they differ", "[unit]") {
  const std::string text = R"({"task": [{"task": "copy", "steps": 20},
      {"task": "copy:symbols=32", "steps": 30, "layers": 1}, "sort"], "steps": 10})";
  CHECK(resolve(text).tasks.size() == 3);
  CHECK(resolve(text, {{"task", "copy"}}).tasks.size() == 2);
  CHECK(resolve(text, {{"task", "copy:symbols=4"}}).tasks.size() == 1);
  CHECK(contains(refusal([&] { resolve(text, {{"steps", 5}, {"layers", 1}}); }), "\"copy\" twice"));
}

TEST_CASE("a task picked by a flag keeps what the spec says of it", "[unit]") {
  const std::string text = R"({"task": [{"task": "copy", "steps": 20}, "sort"], "steps": 10})";
  const SweepSpec one = resolve(text, {{"task", {"copy"}}});
  REQUIRE(one.tasks.size() == 1);
  CHECK(one.tasks[0].grid.settings.training.steps == 20);
  CHECK(resolve(text, {{"task", {"copy:symbols=4"}}}).tasks[0].grid.settings.training.steps == 20);
  CHECK(resolve(text, {{"task", {"recall"}}}).tasks[0].grid.settings.training.steps == 10);
}

TEST_CASE("a resolved spec is complete, and a spec that resolves to itself", "[property]") {
  std::vector<std::string> texts{
      R"({"task": "copy"})",
      R"({"task": [{"task": "recall:queries=2", "steps": 5, "attention": "ssmax"}, "needle"],
          "multiples": [16, 1, 4], "early_stop": [false, true], "learning_rates": [0.001, 2e-3],
          "tune": []})"};
  for (const Preset& preset : preset_catalog()) texts.push_back(preset.text);
  for (const std::string& text : texts) {
    const Json resolved = to_json(resolve(text));
    for (const SettingKey& setting : setting_keys()) CHECK(resolved.contains(setting.name));
    CHECK(to_json(resolve(to_line(resolved))) == resolved);
    CHECK(to_line(to_json(resolve(to_line(resolved)))) == to_line(resolved));
  }
}

TEST_CASE("a results file is the spec that it holds", "[unit]") {
  CHECK(parse_spec(R"({"schema_version": 1, "spec": {"task": "copy"}, "cells": []})", "r") ==
        Json{{"task", "copy"}});
  const auto refused = [](const char* text) {
    return refusal([&] { parse_spec(text, "r.json"); });
  };
  CHECK(contains(refused(R"({"schema_version": 3, "spec": {}})"), "version 3"));
  CHECK(contains(refused(R"({"schema_version": 1})"), "without the spec"));
  CHECK(contains(refused("[]"), "not a sweep spec"));
  CHECK(contains(refused(""), "empty"));
  CHECK(contains(refused("{\"task\": \n oops}"), "line 2"));
}

TEST_CASE("flags become what a spec would hold", "[unit]") {
  CHECK(flag_to_json(key("train_length"), {"16-64*2", "100"}) == Json({16, 32, 64, 100}));
  CHECK(flag_to_json(key("attention"), {"softmax,ssmax", "entmax"}) ==
        Json({"softmax", "ssmax", "entmax"}));
  CHECK(flag_to_json(key("steps"), {"1e3"}) == Json(1000));
  CHECK(flag_to_json(key("clip"), {"0.5"}) == Json(0.5));
  CHECK(flag_to_json(key("early_stop"), {"false"}) == Json(false));
  CHECK(flag_to_json(key("early_stop"), {"false,true"}) == Json({false, true}));
  CHECK(flag_to_json(key("layers"), {"1", "2-3+1"}) == Json({1, 2, 3}));
  CHECK(flag_to_json(key("tune"), {"none"}) == Json::array());
  CHECK(contains(refusal([] { flag_to_json(key("early_stop"), {"no"}); }), "true or false"));
  CHECK(contains(refusal([] { flag_to_json(key("seeds"), {"1", "2"}); }), "takes one value"));
  CHECK(contains(refusal([] { flag_to_json(key("steps"), {"ten"}); }), "--steps"));
  CHECK(key("train_length").flag() == "--train-length");
}

TEST_CASE("specs that differ are told apart by their first differing keys", "[unit]") {
  const Json a = to_json(resolve(R"({"task": "copy", "steps": 5})"));
  const Json b = to_json(resolve(R"({"task": "copy", "steps": 6})"));
  CHECK(describe_difference(a, a).empty());
  CHECK(describe_difference(a, b) == "steps is 5 there and 6 here");
  const Json c = to_json(
      resolve(R"({"task": "copy", "steps": 6, "seed": 1, "layers": 1, "heads": 1, "d_ff": 1})"));
  CHECK(contains(describe_difference(a, c), "and 2 more keys differ"));
}
