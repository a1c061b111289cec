#include <unistd.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/build_info.hpp"
#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/progress_line.hpp"
#include "cli/threads.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/format.hpp"
#include "report/table.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/machine.hpp"
#include "sweep/model_tests.hpp"
#include "sweep/ranges.hpp"

namespace attnspan {
namespace {

struct EvalOptions {
  std::vector<std::string> paths, lengths, multiples;
  std::optional<std::string> task, samples, threads;
  std::string output;
  bool quiet = false, errors = false;
};

ModelTestRequest read_request(const EvalOptions& options) {
  if (options.lengths.empty() == options.multiples.empty())
    throw InputError("say where to test with one of --lengths and --multiples.");
  ModelTestRequest request;
  if (!options.lengths.empty()) {
    request.lengths = parse_numbers(join(options.lengths, ","), "--lengths");
    for (const double length : request.lengths)
      if (length < 1 || length > static_cast<double>(longest_length) ||
          length != std::floor(length))
        throw InputError("--lengths must be whole numbers from 1 to " +
                         std::to_string(longest_length) + ", not " + shortest(length) + ".");
  } else {
    request.multiples = parse_numbers(join(options.multiples, ","), "--multiples");
  }
  if (options.samples) request.samples = parse_integer(*options.samples, "--samples");
  if (options.task) request.task = make_task(*options.task);
  return request;
}

int eval(const EvalOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  const Destination output(options.output);
  output.keep_from(options.paths);
  const int threads = read_threads(options.threads);
  set_threads(threads);
  const ModelTestPlan plan = plan_model_tests(options.paths, read_request(options));
  for (const ModelTest& test : plan.tests) check_memory({test.cell}, threads, memory_bytes());

  Result result;
  result.context = result_context(threads);
  result.spec = to_json(plan.spec);
  ProgressLine line;
  for (const ModelTest& test : plan.tests) {
    const std::string counter = "[" + std::to_string(result.cells.size() + 1) + "/" +
                                std::to_string(plan.tests.size()) + "] ";
    RunOptions run;
    run.stop = &stop;
    run.trained = &test.trained;
    run.errors = options.errors;
    run.on_progress = [&](const CellProgress& progress) {
      if (!options.quiet && line.due())
        line.draw(counter + "testing at length " + describe_count(progress.test_length) + "  " +
                  test.cell.key);
    };
    MemoryStore store;
    const std::optional<CellRow> row = run_cell(test.cell, store, run);
    line.clear();
    if (!row) {
      warn("interrupted after " + describe_cells(result.cells.size()) + "; nothing was written");
      return exit_interrupted;
    }
    result.cells.push_back(*row);
  }
  Comparison comparison = compare({result});
  comparison.shows_errors = options.errors;
  const std::string table = find_format("text").render(comparison);
  if (!options.output.empty()) output.write(to_text(result_document(result)));
  if (!output.is_stdout() || options.output.empty()) print(table);
  return exit_ok;
}

}  // namespace

void add_eval(CLI::App& app, Command& command) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval_command =
      app.add_subcommand("eval", "Test saved models at other lengths, or on another task");
  eval_command->add_option("models", options->paths, "Model files of attnspan sweep --save-models")
      ->required();
  const auto value = [&](const char* name, auto& target, const char* kind, const char* help) {
    return eval_command->add_option(name, target, help)->type_name(kind);
  };
  value("--lengths", options->lengths, "N,...", "Test lengths, in the task's own measure")
      ->allow_extra_args(false);
  value("--multiples", options->multiples, "N,...",
        "Test lengths, as multiples of each model's training length")
      ->allow_extra_args(false);
  value("--task", options->task, "NAME", "Another task than each model's own");
  value("--samples", options->samples, "N", "Test samples at each length (default: 128)");
  value("-o,--output", options->output, "FILE", "Results file; - for stdout instead of the table");
  value("--threads", options->threads, "N",
        "Threads; results do not depend on them (default: all cores)");
  eval_command->add_flag("--errors", options->errors,
                         "Also say what the wrong answers are, where the task tells them apart");
  eval_command->add_flag("--quiet", options->quiet, "No progress");
  eval_command->footer(
      "On its own task a model meets the samples that its sweep would test it on, and gives the\n"
      "same figures. Another task may have no more tokens than the model knows; which token is\n"
      "which is not looked at. Results are those of a sweep: attnspan compare reads them.\n"
      "\n"
      "Examples:\n"
      "  attnspan eval models/*.safetensors --lengths 1000,100000 -o long.json\n"
      "  attnspan eval models/copy*seed0*.safetensors --multiples 1-64*4 --task reverse");
  eval_command->callback([options, &command] { command = [options] { return eval(*options); }; });
}

}  // namespace attnspan
