#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "record/difference.hpp"
#include "record/result.hpp"
#include "report/table.hpp"

namespace attnspan {
namespace {

std::string shown(const Json& value) {
  if (value.is_null()) return "missing";
  const std::string text = to_line(value);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// "steps is 100 in a.json and 200 in b.json".
std::string describe(const Difference& difference, const Result& one, const Result& other) {
  return difference.path + " is " + shown(difference.one) + " in " + one.origin + " and " +
         shown(difference.other) + " in " + other.origin + "\n";
}

using Rows = std::map<std::string, const CellRow*>;

Rows by_key(const Result& result) {
  Rows rows;
  for (const CellRow& row : result.cells) rows.emplace(row.key, &row);
  return rows;
}

std::string only_in(const Result& result, const Rows& others) {
  std::string text;
  for (const CellRow& row : result.cells)
    if (!others.contains(row.key)) text += row.key + " is only in " + result.origin + "\n";
  return text;
}

std::string describe_differences(const Result& one, const Result& other) {
  std::string text;
  for (const Difference& difference : differences(one.spec, other.spec))
    text += "spec: " + describe(difference, one, other);
  const Rows rows = by_key(one), others = by_key(other);
  text += only_in(one, others) + only_in(other, rows);
  for (const CellRow& row : one.cells) {
    const auto same = others.find(row.key);
    if (same == others.end()) continue;
    for (const Difference& difference :
         differences(without_timings(to_json(row)), without_timings(to_json(*same->second))))
      text += row.key + ": " + describe(difference, one, other);
  }
  if (text.empty() && without_timings(to_json(one)) != without_timings(to_json(other)))
    text = "the cells come in another order\n";
  for (const Result* result : {&one, &other}) text += describe_misstated(*result);
  return text;
}

}  // namespace

void add_diff(CLI::App& app, Command& command) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* diff = app.add_subcommand("diff", "Say where two results differ, timings aside");
  diff->add_option("results", *paths, "Two results files")->required()->expected(2);
  diff->footer(
      "Exit code 0 when they are equal, 1 when they are not.\n"
      "\n"
      "Example:\n"
      "  attnspan diff quick.json quick-on-another-machine.json");
  diff->callback([paths, &command] {
    command = [paths] {
      const Result one = load_result(paths->front()), other = load_result(paths->back());
      const std::string text = describe_differences(one, other);
      print(text.empty() ? "equal: " + describe_cells(one.cells.size()) + "\n" : text);
      return text.empty() ? exit_ok : exit_failure;
    };
  });
}

}  // namespace attnspan
