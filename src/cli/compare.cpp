#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/output.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "record/result.hpp"
#include "report/bound.hpp"
#include "report/compare.hpp"
#include "report/format.hpp"

namespace attnspan {
namespace {

struct CompareOptions {
  std::vector<std::string> paths, tasks, own, bounds;
  std::string baseline, format, metric, output;
  bool errors = false;
};

bool has_errors(const Comparison& comparison) {
  for (const TableRow& row : comparison.rows)
    for (const Accuracy& accuracy : row.accuracy)
      if (accuracy.errors) return true;
  return false;
}

/// A terminal that shows colours to somebody who did not ask for none (no-color.org).
bool shows_colour() {
  const char* none = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (none == nullptr || *none == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

const FormatEntry& choose_format(const CompareOptions& options) {
  if (!options.format.empty()) return find_format(options.format);
  const FormatEntry* format = format_of_file(options.output);
  return format != nullptr ? *format : find_format("text");
}

int run_compare(const CompareOptions& options) {
  const FormatEntry& format = choose_format(options);
  const Metric* metric = options.metric.empty() ? nullptr : &find_common_metric(options.metric);
  std::vector<Bound> bounds;
  for (const std::string& bound : options.bounds) bounds.push_back(parse_bound(bound));
  const Destination destination(options.output);
  destination.keep_from(options.paths);
  std::vector<Result> results;
  for (const std::string& path : options.paths) results.push_back(load_result(path));
  keep_tasks(results, options.tasks);
  if (options.baseline.empty() && !options.own.empty())
    throw InputError("--own says what may differ from the --baseline, and none is given.");
  Comparison comparison = with_baseline(collect(results, metric), options.baseline, options.own);
  comparison.shows_errors = options.errors;
  if (options.errors && format.name != "text")
    throw InputError(
        "--errors goes with the format text; JSON has what wrong answers are without it.");
  if (options.errors && !has_errors(comparison))
    throw InputError(
        "none of the results says what its wrong answers are; test saved models again with "
        "attnspan eval MODEL --errors, or sweep with --diagnose.");
  std::vector<std::string> failures;
  for (const Bound& bound : bounds)
    for (std::string& sentence : below(comparison, bound)) failures.push_back(std::move(sentence));
  const bool in_colour =
      destination.is_stdout() && format.render_in_colour != nullptr && shows_colour();
  destination.write(in_colour ? format.render_in_colour(comparison) : format.render(comparison));
  for (const std::string& sentence : failures) warn(sentence);
  return failures.empty() ? exit_ok : exit_failure;
}

}  // namespace

void add_compare(CLI::App& app, Command& command) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* compare_command = app.add_subcommand("compare", "Set attention variants side by side");
  compare_command->add_option("results", options->paths, "Results files")->required();
  const auto value = [&](const char* name, auto& target, const char* kind,
                         const std::string& help) {
    return compare_command->add_option(name, target, help)
        ->type_name(kind)
        ->allow_extra_args(false);
  };
  value("--baseline", options->baseline, "NAME",
        "Also compare with this variant: softmax, or softmax/nape");
  value(
      "--own", options->own, "SETTING",
      "What may differ from the baseline too, because a search chose it for each: learning_rates, "
      "weight_decay; may be repeated");
  value("--task", options->tasks, "NAME",
        "Only this task, in full or without its arguments; may be repeated");
  value("--metric", options->metric, "NAME",
        "Show exact_match or token_accuracy, instead of what each task is judged by");
  std::vector<std::string> formats;
  for (const FormatEntry& format : format_catalog()) formats.push_back(format.name);
  value("--format", options->format, "NAME",
        join(formats) + " (default: by the file's name, else text)");
  value("-o,--output", options->output, "FILE", "File to write; - or nothing: stdout");
  value("--fail-if-below", options->bounds, "[VARIANT=]BOUND",
        "Exit code 1 where a mean is below 0.9 (or 90%) at a tested length, or a span below 16x; "
        "may be repeated");
  compare_command->add_flag("--errors", options->errors,
                            "Also say what the wrong answers are, where the results have it");
  compare_command->footer(
      "Examples:\n"
      "  attnspan compare quick.json --baseline softmax\n"
      "  attnspan compare quick.json --baseline softmax -o quick.csv\n"
      "  attnspan compare quick.json --task recall --fail-if-below asentmax=64x");
  compare_command->callback(
      [options, &command] { command = [options] { return run_compare(*options); }; });
}

}  // namespace attnspan
