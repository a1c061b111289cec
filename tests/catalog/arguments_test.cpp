#include "catalog/arguments.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

using Kind = ParameterSpec::Kind;

const std::vector<ParameterSpec> specs = {
    {.name = "count", .default_value = "8", .minimum = 1, .maximum = 100},
    {.name = "density", .default_value = "0.80", .kind = Kind::number, .minimum = 0, .maximum = 1},
    {.name = "depth",
     .default_value = "uniform",
     .kind = Kind::number,
     .minimum = 0,
     .maximum = 100,
     .choices = {"uniform"}},
    {.name = "layout",
     .default_value = "interleaved",
     .kind = Kind::choice,
     .choices = {"interleaved", "grouped"}}};

const std::vector<ParameterSpec> with_list = {{.name = "slopes",
                                               .default_value = "harmonic",
                                               .kind = Kind::numbers,
                                               .minimum = 0,
                                               .maximum = 2,
                                               .choices = {"harmonic"}},
                                              {.name = "near", .default_value = "4", .maximum = 8}};

std::string refusal(const std::string& text, const std::vector<ParameterSpec>& of = specs) {
  try {
    Arguments("recall", text, of);
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

TEST_CASE("a bare first value is the first parameter's", "[unit]") {
  CHECK(Arguments("recall", "016", specs).differing() == "count=16");
  CHECK(Arguments("recall", "16,density=0.5", specs).differing() == "count=16,density=0.5");
  CHECK(Arguments("recall", "16,density=0.5", specs).brief() == "16,density=0.5");
  CHECK(Arguments("recall", "layout=grouped", specs).brief() == "8,layout=grouped");
}

TEST_CASE("the numbers of a list stand between colons", "[unit]") {
  const Arguments arguments("nape", "slopes=1.0:0.5:025e-2", with_list);
  CHECK(arguments.numbers("slopes") == std::vector<double>{1, 0.5, 0.25});
  CHECK(arguments.differing() == "slopes=1:0.5:0.25");
  CHECK(Arguments("nape", "2", with_list).numbers("slopes") == std::vector<double>{2});
  CHECK(Arguments("nape", "harmonic", with_list).differing().empty());
}

TEST_CASE("a list of parts splits between parts and not within one", "[unit]") {
  using Parts = std::vector<std::string>;
  CHECK(split_parts("copy,sort") == Parts{"copy", "sort"});
  CHECK(split_parts("recall:alphabet=64,queries=8,copy") ==
        Parts{"recall:alphabet=64,queries=8", "copy"});
  CHECK(split_parts("copy:symbols=4,sort:symbols=8,needle") ==
        Parts{"copy:symbols=4", "sort:symbols=8", "needle"});
  CHECK(split_parts("entmax:alpha=1.5,softmax,entmax:1.3+log:start=1") ==
        Parts{"entmax:alpha=1.5", "softmax", "entmax:1.3+log:start=1"});
  CHECK(split_parts("nape:near=2,slopes=1:0.5,nape:near=8~nape,rope:base=500000") ==
        Parts{"nape:near=2,slopes=1:0.5", "nape:near=8~nape", "rope:base=500000"});
  CHECK(split_parts("queries=8,copy") == Parts{"queries=8", "copy"});  // make_task refuses it
}

TEST_CASE("what a parameter takes is said in words", "[unit]") {
  CHECK(describe_values(specs[0]) == "a whole number from 1 to 100");
  CHECK(describe_values(specs[2]) == "uniform, or a number from 0 to 100");
  CHECK(describe_values(specs[3]) == "interleaved or grouped");
  CHECK(describe_values(with_list[0]) == "harmonic, or numbers from 0 to 2 with ':' between them");
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
  CHECK(refusal("count") == "recall: count has no value; write count=VALUE.");
  CHECK(refusal("layout") == "recall: layout has no value; write layout=VALUE.");
  CHECK(refusal("many") == "recall: count must be a whole number, not 'many'.");
  CHECK(refusal("3,count=4") == "recall: parameter count is given twice.");
  CHECK(refusal("3,4") == "recall: parameters are written name=value, not '4'.");
  CHECK(refusal("density=1,3") == "recall: parameters are written name=value, not '3'.");
  CHECK(refusal("3", {}) == "recall takes no parameters, but got '3'.");
  CHECK(refusal("1:2.5", with_list) ==
        "recall: slopes, unless harmonic, must be between 0 and 2, not 2.5.");
  CHECK(refusal("1:", with_list) == "recall: slopes, unless harmonic, must be a number, not ''.");
  CHECK(refusal("count=1,") == "recall: parameters are written name=value, not ''.");
  CHECK(refusal("=1").find("unknown recall parameter ''") == 0);
}
