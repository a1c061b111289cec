#include "core/names.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace

TEST_CASE("edit distance counts single changes", "[unit]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("sort", "sort") == 0);
  CHECK(edit_distance("", "sort") == 4);
  CHECK(edit_distance("sort", "") == 4);
  CHECK(edit_distance("sort", "sotr") == 2);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("flaw", "lawn") == 2);
}

TEST_CASE("split keeps empty parts and join undoes it", "[unit]") {
  CHECK(split("a,b,c", ',') == std::vector<std::string>{"a", "b", "c"});
  CHECK(split("a,,c,", ',') == std::vector<std::string>{"a", "", "c", ""});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(join({"a", "b", "c"}) == "a, b, c");
  CHECK(join({"a"}, "|") == "a");
  CHECK(join({}).empty());
  CHECK(join({"", "", "a"}, ",") == ",,a");
  CHECK(join(split("1,22,333", ','), ",") == "1,22,333");
}

TEST_CASE("an unknown name is answered with the nearest and all", "[unit]") {
  CHECK(message_of([] {
          unknown_name("task", "recal", {"copy", "recall", "sort"});
        }) == "unknown task 'recal'; did you mean 'recall'? Allowed: copy, recall, sort.");
  CHECK(message_of([] {
          unknown_name("task", "translate", {"copy", "sort"});
        }) == "unknown task 'translate'. Allowed: copy, sort.");
}

TEST_CASE("an unknown name of any length makes a short message", "[unit]") {
  const std::string huge(10'000'000, 'x');
  CHECK(message_of([&] { unknown_name("task", huge, {"copy"}); }).size() < 150);
  CHECK(message_of([&] { parse_number(huge, "steps"); }).size() < 150);
}

TEST_CASE("numbers are parsed whole or refused", "[unit]") {
  CHECK(parse_number("1.5", "x") == 1.5);
  CHECK(parse_number("-2e-3", "x") == -0.002);
  for (const char* text :
       {"", " 1", "1 ", "1.5x", "nan", "inf", "-inf", "1e999", "0x10", "+1", "--1"})
    CHECK(message_of([&] { parse_number(text, "rate"); }) ==
          "rate must be a number, not '" + std::string(text) + "'.");
}

TEST_CASE("whole numbers are parsed whole or refused", "[unit]") {
  CHECK(parse_integer("-7", "x") == -7);
  CHECK(parse_integer("9223372036854775807", "x") == 9223372036854775807);
  for (const char* text : {"", "1.0", "1e3", "9223372036854775808", "12abc", "\xc2\xb2"})
    CHECK(message_of([&] { parse_integer(text, "steps"); }) ==
          "steps must be a whole number, not '" + std::string(text) + "'.");
}

TEST_CASE("shortest text reads back as the same number", "[property]") {
  CHECK(shortest(1.5) == "1.5");
  CHECK(shortest(2) == "2");
  CHECK(shortest(0.001) == "0.001");
  CHECK(shortest(-0.1) == "-0.1");
  for (const double value : {0.1 + 0.2, 1.0 / 3, 1e300, 5e-324, 123456789.125, -2e-7})
    CHECK(parse_number(shortest(value), "x") == value);
}
