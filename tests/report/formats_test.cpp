#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "report/format.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

/// Two tasks, one with lost seeds, shortcuts, a multiple given up and more multiples than a
/// terminal has room for, the other with one seed and a variant of which nothing came out.
Result example() {
  Result result;
  for (int seed = 0; seed < 3; ++seed) {
    result.cells.push_back(cell("softmax", 0.001, seed, 100, {100 - seed, 60, 20, 3, 0, 0, 0, 0}));
    CellRow better = cell("asentmax:normalizer=entmax", 0.002, seed, 100,
                          {100, 95 + seed, 90, 80 - 10 * seed, 60, 55, 42, 7});
    better.learning_rate = 0.001;
    result.cells.push_back(better);
  }
  result.cells.push_back(cell("entmax", 0.001, 0, 100, {100, 50, 10, 0, 0, 0, 0, 0}));
  result.cells.push_back(cell("entmax", 0.001, 1, 100, {99, 48, 12, 0, 0, 0, 0, 0}));
  result.cells.push_back(lost_cell("entmax", 0.001, 2, Status::diverged));
  for (CellRow& row : result.cells)
    for (Evaluation& evaluation : row.evaluations)
      evaluation.quantities = {{"pairs", static_cast<std::int64_t>(2 * evaluation.multiple)},
                               {"context_tokens", evaluation.length - 1}};
  for (CellRow& row : result.cells)
    for (Evaluation& evaluation : row.evaluations)
      if (evaluation.split == "test")
        evaluation.shortcuts = {{"last, \"key\" token", evaluation.multiple < 20 ? 0.11 : 0}};
  Evaluation& last = result.cells[6].evaluations.back();
  last.counts = {};
  last.outcomes.clear();
  last.shortcuts.clear();
  last.given_up = true;
  for (CellRow row :
       {cell("softmax", 0.001, 0, 100, {96}), lost_cell("entmax", 0.001, 0, Status::failed)}) {
    row.task = "copy:symbols=8,from_end=1";
    row.key += "copy";
    result.cells.push_back(row);
  }
  return result;
}

std::vector<std::string> lines_of(const std::string& text) { return split(text, '\n'); }

}  // namespace

TEST_CASE("Every format is written byte for byte as its golden file", "[golden]") {
  for (const FormatEntry& format : format_catalog()) {
    INFO(format.name);
    const std::string text = format.render(compare({example()}, "softmax"));
    std::string path = ATTNSPAN_GOLDEN "/compare.";
    path += format.name;
    CHECK(text == read_file(path, 1 << 20));
  }
}

TEST_CASE("Every format is found by its name and takes a comparison of nothing", "[property]") {
  for (const FormatEntry& format : format_catalog()) {
    INFO(format.name);
    CHECK(&find_format(format.name) == &format);
    CHECK(format.summary != "");
    CHECK(format.render(compare({})).back() == '\n');
    CHECK(format.render(compare({example()})).back() == '\n');
  }
  CHECK_THROWS_AS(find_format("xml"), InputError);
}

TEST_CASE("Every format shows every variant and what was lost", "[property]") {
  for (const FormatEntry& format : format_catalog()) {
    INFO(format.name);
    const std::string text = format.render(compare({example()}, "softmax"));
    for (const char* part : {"softmax", "asentmax", "entmax", "recall", "copy"})
      CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("The terminal's table keeps to 80 columns", "[unit]") {
  for (const char* baseline : {"", "softmax"})
    for (const std::string& line :
         lines_of(find_format("text").render(compare({example()}, baseline)))) {
      INFO(line);
      CHECK(line.size() <= 80);
    }
}

TEST_CASE("Long names have lines of their own in LaTeX", "[unit]") {
  const auto latex = [](const char* position) {
    Result result = example();
    for (CellRow& cell : result.cells) {
      cell.position = position;
      if (cell.attention == "asentmax:normalizer=entmax") cell.attention = "asentmax";
    }
    return lines_of(find_format("latex").render(compare({result}, "softmax")));
  };
  for (const std::string& line : latex("nape"))
    CHECK(line.find("multicolumn") == std::string::npos);
  int names = 0;
  for (const std::string& line : latex("hard-alibi:near=8~nope")) {
    if (line.starts_with("%") || line.find("/hard-alibi") == std::string::npos) continue;
    INFO(line);
    CHECK(line.starts_with("\\multicolumn{"));
    CHECK(line.find(" & ") == std::string::npos);
    ++names;
  }
  CHECK(names > 3);
}

TEST_CASE("CSV has as many fields in every line", "[unit]") {
  const auto fields = [](const std::string& line) {
    bool quoted = false;
    int count = 1;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++count;
    }
    return count;
  };
  std::vector<std::string> lines =
      lines_of(find_format("csv").render(compare({example()}, "softmax")));
  CHECK(lines.back() == "");
  lines.pop_back();
  // Each row at 8 multiples: seeds, two means, a shortcut and two quantities; two rows of three
  // seeds (one of them with differences), one of two with differences and the lost; copy. Each of
  // the five rows with chance and spans, two with a difference and its p over all multiples, one
  // with one seed's.
  CHECK(lines.size() == 1 + 8 * (3 + 5) + 8 * (3 + 6) + 8 * (2 + 7) + 3 + 5 * 4 + 2 * 2 + 1);
  for (const std::string& line : lines) CHECK(fields(line) == 18);
}

TEST_CASE("One seed says that it knows nothing of luck", "[unit]") {
  Result one;
  one.cells = {cell("softmax", 0.001, 0, 100, {100})};
  Result two = one;
  two.cells.push_back(cell("softmax", 0.001, 1, 100, {100}));
  for (const char* name : {"text", "md", "latex"}) {
    const auto says = [&](const Result& result) {
      return find_format(name).render(compare({result})).find("they say nothing") !=
             std::string::npos;
    };
    CHECK(says(one));
    CHECK_FALSE(says(two));
  }
}

TEST_CASE("Colours are all that a terminal's table has beside the text's", "[unit]") {
  const FormatEntry& text = find_format("text");
  REQUIRE(text.render_in_colour != nullptr);
  const Comparison comparison = compare({example()}, "softmax");
  const std::string coloured = text.render_in_colour(comparison);
  CHECK(coloured.find("\x1b[1m100.0\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[32m  asentmax:normalizer=entmax/nape against") != std::string::npos);
  std::string plain;
  for (std::size_t at = 0; at < coloured.size(); ++at) {
    if (coloured[at] == '\x1b') at = coloured.find('m', at) + 1;
    if (coloured[at] == '\x1b') at = coloured.find('m', at) + 1;
    if (at < coloured.size()) plain += coloured[at];
  }
  CHECK(plain == text.render(comparison));
}

TEST_CASE("A file's format follows from its extension", "[unit]") {
  for (const FormatEntry& format : format_catalog())
    CHECK(format_of_file("a/table." + format.extension) == &format);
  CHECK(format_of_file("tex") == nullptr);
  CHECK(format_of_file("") == nullptr);
}
