#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/sample_text.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "record/json.hpp"
#include "task/task.hpp"
#include "train/evaluator.hpp"
#include "train/trainer.hpp"

namespace attnspan {
namespace {

constexpr std::int64_t most_samples = 10'000'000;

struct DataOptions {
  std::string task, length = "16", samples = "4", seed = "0", split = "test", format = "text";
};

std::int64_t bounded(const std::string& text, const std::string& what, std::int64_t least,
                     std::int64_t most) {
  const long long value = parse_integer(text, what);
  if (value < least || value > most)
    throw InputError(what + " must be from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not " + std::to_string(value) + ".");
  return value;
}

int show(const DataOptions& options) {
  const NamedTask named = make_task(options.task);
  const Task& task = *named.task;
  const std::int64_t length = bounded(options.length, "--length", 1, longest_length);
  task.check_length(length);
  const std::int64_t samples = bounded(options.samples, "--samples", 1, most_samples);
  const std::int64_t seed = bounded(options.seed, "--seed", 0, std::int64_t{1} << 53);
  const Stream stream = options.split == "train"        ? Stream::train
                        : options.split == "validation" ? Stream::validation
                                                        : Stream::test;
  if (options.split != "train" && options.split != "validation" && options.split != "test")
    unknown_name("split", options.split, {"train", "validation", "test"});
  if (options.format != "text" && options.format != "jsonl")
    unknown_name("format", options.format, {"text", "jsonl"});

  const EvaluationRequest request{static_cast<std::uint64_t>(seed), stream, length, samples};
  for (std::int64_t index = 0; index < samples; ++index) {
    const Sample sample =
        stream == Stream::train
            ? training_sample(task, request.seed, 0, static_cast<std::uint64_t>(index), length)
            : evaluation_sample(task, request, index);
    const std::string text = sample_text(task, sample);
    if (options.format == "text") {
      print(text + '\n');
      continue;
    }
    Json line{{"task", named.label}, {"length", length},        {"split", options.split},
              {"index", index},      {"tokens", sample.tokens}, {"answers", sample.answers}};
    if (!sample.targets.empty()) line["targets"] = sample.targets;
    for (const Quantity& quantity : task.quantities(length)) line[quantity.name] = quantity.value;
    line["text"] = text;
    print(to_line(line) + '\n');
  }
  return exit_ok;
}

}  // namespace

void add_data(CLI::App& app, Command& command) {
  auto options = std::make_shared<DataOptions>();
  CLI::App* data = app.add_subcommand("data", "Show samples of a task, with their answers marked");
  data->add_option("task", options->task, "Name, or name:parameter=value,...")->required();
  data->add_option("--length", options->length, "Length in the task's own measure")
      ->capture_default_str();
  data->add_option("--samples", options->samples, "How many")->capture_default_str();
  data->add_option("--split", options->split, "train, validation or test")->capture_default_str();
  data->add_option("--seed", options->seed, "Seed of the sweep")->capture_default_str();
  data->add_option(
          "--format", options->format,
          "text: answers in brackets; jsonl: token numbers, answer positions, labels where answers "
          "are not tokens themselves, and the text")
      ->capture_default_str();
  data->footer(
      "Validation and test samples are the very ones that a sweep with this seed evaluates at\n"
      "this length; training samples are drawn like those it trains on.\n"
      "\n"
      "Examples:\n"
      "  attnspan data recall --length 32 --samples 3\n"
      "  attnspan data recall:queries=1 --length 64 --format jsonl > recall.jsonl");
  data->callback([options, &command] { command = [options] { return show(*options); }; });
}

}  // namespace attnspan
