#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/threads.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"
#include "record/json.hpp"
#include "report/inspection.hpp"
#include "sweep/machine.hpp"
#include "sweep/model_tests.hpp"
#include "sweep/ranges.hpp"
#include "train/inspector.hpp"

namespace attnspan {
namespace {

struct InspectOptions {
  std::string path, format, output;
  std::optional<std::string> length, multiple, task, sample, threads;
};

std::string choose_format(const InspectOptions& options) {
  const std::vector<std::string> formats{"text", "json", "html"};
  if (options.format.empty())
    return options.output.ends_with(".json")                                       ? "json"
           : options.output.ends_with(".html") || options.output.ends_with(".htm") ? "html"
                                                                                   : "text";
  for (const std::string& format : formats)
    if (format == options.format) return format;
  unknown_name("format", options.format, formats);
}

/// The one test that is asked for: at a length, or at a multiple of the training length, or there.
ModelTest read_test(const InspectOptions& options) {
  if (options.length && options.multiple)
    throw InputError("say where to look with one of --length and --multiple.");
  ModelTestRequest request;
  if (options.length) {
    const std::int64_t length = parse_integer(*options.length, "--length");
    if (length < 1 || length > longest_length)
      throw InputError("--length must be from 1 to " + std::to_string(longest_length) + ", not " +
                       std::to_string(length) + ".");
    request.lengths = {static_cast<double>(length)};
  } else {
    request.multiples = {options.multiple ? parse_number(*options.multiple, "--multiple") : 1.0};
  }
  if (options.task) request.task = make_task(*options.task);
  request.samples = 1;
  return std::move(plan_model_tests({options.path}, request).tests.front());
}

int run_inspect(const InspectOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  const std::string format = choose_format(options);
  const Destination output(options.output);
  output.keep_from({options.path});
  const int threads = read_threads(options.threads);
  set_threads(threads);
  const std::int64_t sample = options.sample ? parse_integer(*options.sample, "--sample") : 0;
  if (sample < 0) throw InputError("--sample counts from 0.");
  const ModelTest test = read_test(options);
  const Cell& cell = test.cell;
  check_memory({cell}, threads, memory_bytes());
  const TestPoint& point = cell.tests.back();
  const Task& task = *cell.task.task;

  EvaluationRequest request{.seed = cell.training.seed,
                            .length = cell.training.train_length,
                            .samples = samples_looked_at,
                            .replicate = cell.training.replicate};
  const std::optional<OutputReference> reference =
      reference_outputs(cell.model, test.trained.weights, task, request, &stop);
  request.length = point.length;
  request.samples = 1;
  request.first = sample;
  const Inspected inspected = inspect(cell.model, test.trained.weights, task, request,
                                      reference ? &*reference : nullptr, &stop);
  if (inspected.stopped) {
    warn("interrupted; nothing was written");
    return exit_interrupted;
  }
  const Inspection inspection{cell.key,          cell.task.label, point.length,
                              point.multiple,    sample,          inspected.tokens,
                              inspected.answers, inspected.right, reference ? samples_looked_at : 0,
                              inspected.figures, inspected.bins,  inspected.maps};
  output.write(format == "html"   ? inspection_page(inspection)
               : format == "json" ? to_text(to_json(inspection))
                                  : inspection_text(inspection));
  return exit_ok;
}

}  // namespace

void add_inspect(CLI::App& app, Command& command) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* inspect_command =
      app.add_subcommand("inspect", "Show what the attention of a saved model does with a sample");
  inspect_command->add_option("model", options->path, "Model file of attnspan sweep --save-models")
      ->required();
  const auto value = [&](const char* name, auto& target, const char* kind, const char* help) {
    inspect_command->add_option(name, target, help)->type_name(kind);
  };
  value("--length", options->length, "N", "Length of the sample, in the task's own measure");
  value("--multiple", options->multiple, "N",
        "The same as a multiple of the training length (default: 1)");
  value("--task", options->task, "NAME", "Another task than the model's own");
  value("--sample", options->sample, "N", "Which of the test samples, from 0 (default: 0)");
  value("--format", options->format, "NAME",
        "text, json, html (default: by the file's name, else text)");
  value("-o,--output", options->output, "FILE", "File to write; - or nothing: stdout");
  value("--threads", options->threads, "N",
        "Threads; results do not depend on them (default: all cores)");
  inspect_command->footer(
      "Of every head: a map of its weights, how many keys it uses, how evenly (entropy), the "
      "weight on\n"
      "the tokens that hold the answer, what the scaler does, the range of scores, and how far "
      "its output\n"
      "has drifted from that at the training length. Of a sample of more than 512 tokens 512 rows "
      "are\n"
      "looked at, and those that answer, so that no length needs more memory than a test.\n"
      "\n"
      "Examples:\n"
      "  attnspan inspect models/recall*seed0*.safetensors --multiple 64\n"
      "  attnspan inspect models/recall*seed0*.safetensors --length 65536 -o page.html");
  inspect_command->callback(
      [options, &command] { command = [options] { return run_inspect(*options); }; });
}

}  // namespace attnspan
