#include "task/arguments.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

const std::vector<ParameterSpec> specs = {
    {"count", "", "8", ParameterSpec::Kind::integer, 1, 100, {}},
    {"density", "", "0.80", ParameterSpec::Kind::number, 0, 1, {}},
    {"depth", "", "uniform", ParameterSpec::Kind::number, 0, 100, {"uniform"}},
    {"layout", "", "interleaved", ParameterSpec::Kind::choice, 0, 0, {"interleaved", "grouped"}}};

std::string refusal(const std::string& text) {
  try {
    Arguments("recall", text, specs);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace

TEST_CASE("arguments take defaults", "[unit]") {
  const Arguments arguments("recall", "", specs);
  CHECK(arguments.integer("count") == 8);
  CHECK(arguments.number("density") == 0.8);
  CHECK(arguments.text("depth") == "uniform");
  CHECK(arguments.text("layout") == "interleaved");
  CHECK(arguments.differing().empty());
  CHECK(arguments.resolved() == "count=8,density=0.8,depth=uniform,layout=interleaved");
}

TEST_CASE("arguments take values in any order and list them in the specs' order", "[unit]") {
  const Arguments arguments("recall", "layout=grouped,depth=12.5,count=100", specs);
  CHECK(arguments.integer("count") == 100);
  CHECK(arguments.number("depth") == 12.5);
  CHECK(arguments.text("layout") == "grouped");
  CHECK(arguments.differing() == "count=100,depth=12.5,layout=grouped");
  CHECK(arguments.resolved() == "count=100,density=0.8,depth=12.5,layout=grouped");
}

TEST_CASE("one value in two spellings is one label", "[unit]") {
  CHECK(Arguments("recall", "count=008,density=0.800,depth=uniform", specs).differing().empty());
  CHECK(Arguments("recall", "density=5e-1,count=07", specs).differing() == "count=7,density=0.5");
  CHECK(Arguments("recall", "depth=-0", specs).differing() == "depth=0");
}

TEST_CASE("resolved arguments resolve to themselves", "[property]") {
  for (const char* text :
       {"", "count=1", "density=0.3333333333333333,layout=grouped", "depth=1e-3"}) {
    const Arguments arguments("recall", text, specs);
    CHECK(Arguments("recall", arguments.resolved(), specs).resolved() == arguments.resolved());
    CHECK(Arguments("recall", arguments.differing(), specs).resolved() == arguments.resolved());
  }
}

TEST_CASE("bad arguments are refused with what is allowed", "[unit]") {
  CHECK(
      refusal("densty=1") ==
      "unknown recall parameter 'densty'; did you mean 'density'? Allowed: count, density, depth, "
      "layout.");
  CHECK(refusal("count=0") == "recall: count must be between 1 and 100, not 0.");
  CHECK(refusal("count=101") == "recall: count must be between 1 and 100, not 101.");
  CHECK(refusal("density=1.5") == "recall: density must be between 0 and 1, not 1.5.");
  CHECK(refusal("count=8.0") == "recall: count must be a whole number, not '8.0'.");
  CHECK(refusal("density=nan") == "recall: density must be a number, not 'nan'.");
  CHECK(refusal("depth=unifrm") ==
        "recall: depth, unless uniform, must be a number, not 'unifrm'.");
  CHECK(refusal("layout=groupd") ==
        "unknown recall layout 'groupd'; did you mean 'grouped'? Allowed: interleaved, grouped.");
  CHECK(refusal("count=1,density=1,count=1") == "recall: parameter count is given twice.");
  CHECK(refusal("count=") == "recall: count has no value; write count=VALUE.");
  CHECK(refusal("layout=") == "recall: layout has no value; write layout=VALUE.");
  CHECK(refusal("count") == "recall: parameters are written name=value, not 'count'.");
  CHECK(refusal("count=1,") == "recall: parameters are written name=value, not ''.");
  CHECK(refusal("=1").find("unknown recall parameter ''") == 0);
}
