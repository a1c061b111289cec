#include "record/json.hpp"

#include <string>

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

/// What parse_json has to say about a text, empty when it has no complaint.
std::string complaint(const std::string& text, bool comments = false) {
  try {
    parse_json(text, "f.json", comments);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("JSON is read as it stands, keys in order", "[unit]") {
  const std::string text = R"({"b":1,"a":[true,null,-2.5,"x"],"c":{"d":{}}})";
  CHECK(to_line(parse_json(text, "f.json", false)) == text);
  CHECK(to_line(parse_json("\xef\xbb\xbf [1]", "f.json", false)) == "[1]");
}

TEST_CASE("Comments are blanks where they are allowed", "[unit]") {
  const std::string text = "// head\n{\"a\": /* one */ 1}";
  CHECK(to_line(parse_json(text, "f.json", true)) == R"({"a":1})");
  CHECK(complaint(text) != "");
}

TEST_CASE("Broken JSON is told with line and column", "[unit]") {
  CHECK(complaint("") == "f.json is empty; a JSON text is expected");
  CHECK(complaint(" \n ") == "f.json is empty; a JSON text is expected");
  CHECK(complaint("{\"a\": 1,\n \"a\": 2}") ==
        "f.json, line 2, column 4: the key \"a\" is given twice");
  CHECK(complaint("[1e999]") == "f.json, line 1, column 7: the number 1e999 is too large");
  CHECK(complaint("[1,\n2,]").find("f.json, line 2, column 3: syntax error") == 0);
  for (const char* text : {"[1, 2", "{\"a\" 1}", "{\"a\":}", "[1] x", "[01]", "nul", "\"abc",
                           "\"\xff\"", "[\"\\ud800\"]", "[NaN]", "{a: 1}", "'a'", "/* x"}) {
    INFO(text);
    CHECK(complaint(text).find("f.json, line 1, column ") == 0);
    CHECK(complaint(text, true).find("f.json, line 1, column ") == 0);
  }
}

TEST_CASE("JSON that is out to exhaust the reader is refused", "[unit]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(complaint(nested(json_depth_limit)) == "");
  CHECK(complaint(nested(json_depth_limit + 1)) ==
        "f.json, line 1, column 65: nested deeper than 64 levels");
  CHECK(complaint(std::string(5'000'000, '[')) != "");

  std::string object = "{\"k0\":0";
  for (std::size_t i = 1; i < json_keys_limit; ++i) object += ",\"k" + std::to_string(i) + "\":0";
  CHECK(complaint(object + "}") == "");
  CHECK(complaint(object + ",\"one more\":0}").find("more than 256 keys") != std::string::npos);

  // Messages stay one line to read whatever the text holds.
  CHECK(complaint("\"" + std::string(100'000, 'x')).size() < 300);
  CHECK(complaint("{\"\x1b[2J\":1}").find('\x1b') == std::string::npos);
}

TEST_CASE("Text that is not UTF-8 is written all the same", "[unit]") {
  CHECK(to_line(Json("\xff")) == "\"\xef\xbf\xbd\"");
}

TEST_CASE("Text is indented, but a list of plain numbers keeps to one line", "[unit]") {
  const Json json = Json::parse(
      R"({"a": [1, 2.5, null], "b": {}, "c": [], "d": [[1], "x\n"], "e": {"\u00e9": true}})");
  const std::string text =
      "{\n"
      "  \"a\": [1, 2.5, null],\n"
      "  \"b\": {},\n"
      "  \"c\": [],\n"
      "  \"d\": [\n"
      "    [1],\n"
      "    \"x\\n\"\n"
      "  ],\n"
      "  \"e\": {\n"
      "    \"\xc3\xa9\": true\n"
      "  }\n"
      "}\n";
  CHECK(to_text(json) == text);
  CHECK(parse_json(text, "text", false) == json);
  CHECK(to_text(Json(7)) == "7\n");
}
