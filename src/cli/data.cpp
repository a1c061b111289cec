#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/output.hpp"
#include "cli/sample_text.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
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
  std::string output, targets = "after";
};

std::int64_t bounded(const std::string& text, const std::string& what, std::int64_t least,
                     std::int64_t most) {
  const long long value = parse_integer(text, what);
  if (value < least || value > most)
    throw InputError(what + " must be from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not " + std::to_string(value) + ".");
  return value;
}

std::string json_line(const NamedTask& named, const DataOptions& options, std::int64_t length,
                      std::int64_t index, const Sample& sample) {
  Json line{{"task", named.label}, {"length", length},        {"split", options.split},
            {"index", index},      {"tokens", sample.tokens}, {"answers", sample.answers}};
  if (!sample.targets.empty()) line["targets"] = sample.targets;
  for (const Quantity& quantity : named.task->quantities(length))
    line[quantity.name] = quantity.value;
  line["text"] = sample_text(*named.task, sample);
  return to_line(line) + '\n';
}

std::string token_line(std::span<const Token> tokens) {
  std::string line;
  for (const Token token : tokens) line += (line.empty() ? "" : " ") + std::to_string(token);
  return line + '\n';
}

/// Whether the answers are the last tokens, and tokens themselves: what stands in a .trg that comes
/// after its .src.
bool ends_with_answers(const Sample& sample) {
  return sample.targets.empty() &&
         sample.answers.size() ==
             sample.tokens.size() - static_cast<std::size_t>(sample.answers[0]);
}

/// A label for each token: what belongs after it where that is asked for, else -1.
std::vector<Token> labels_of(const Sample& sample) {
  std::vector<Token> labels(sample.tokens.size(), -1);
  for (std::size_t i = 0; i < sample.answers.size(); ++i)
    labels[static_cast<std::size_t>(sample.answers[i] - 1)] = sample.target(i);
  return labels;
}

/// Writes OUTPUT.src and OUTPUT.trg.
void write_pair(const DataOptions& options, const std::vector<Sample>& samples) {
  const bool after = options.targets == "after";
  if (after && !std::all_of(samples.begin(), samples.end(), ends_with_answers))
    throw InputError("the answers of " + options.task +
                     " do not all stand at the end; write a label for each token with --targets "
                     "each, and read it with targets=each.");
  std::string source, target;
  for (const Sample& sample : samples) {
    const std::span<const Token> tokens = sample.tokens;
    const std::size_t end = after ? static_cast<std::size_t>(sample.answers[0]) : tokens.size();
    source += token_line(tokens.first(end));
    target += token_line(after ? tokens.subspan(end) : std::span<const Token>(labels_of(sample)));
  }
  write_atomically(options.output + ".src", source);
  write_atomically(options.output + ".trg", target);
}

int show(const DataOptions& options) {
  const NamedTask named = make_task(options.task);
  const Task& task = *named.task;
  const std::int64_t length = bounded(options.length, "--length", 1, longest_length);
  task.check_length(length);
  std::int64_t samples = bounded(options.samples, "--samples", 1, most_samples);
  const std::int64_t seed = bounded(options.seed, "--seed", 0, (std::int64_t{1} << 53) - 1);
  const Stream stream = options.split == "train"        ? Stream::train
                        : options.split == "validation" ? Stream::validation
                                                        : Stream::test;
  if (options.split != "train" && options.split != "validation" && options.split != "test")
    unknown_name("split", options.split, {"train", "validation", "test"});
  if (options.format != "text" && options.format != "jsonl" && options.format != "src-trg")
    unknown_name("format", options.format, {"text", "jsonl", "src-trg"});
  if (options.targets != "after" && options.targets != "each")
    unknown_name("targets", options.targets, {"after", "each"});
  if (options.format == "src-trg" && (options.output.empty() || options.output == "-"))
    throw InputError(
        "--format src-trg writes two files; name them with -o, without .src and .trg.");
  const Destination output(options.format == "src-trg" ? "" : options.output);

  const EvaluationRequest request{static_cast<std::uint64_t>(seed), stream, length, samples};
  if (stream != Stream::train) samples = available_samples(task, stream, length, samples);
  std::vector<Sample> pairs;
  std::string text;
  for (std::int64_t index = 0; index < samples; ++index) {
    Sample sample =
        stream == Stream::train
            ? training_sample(task, request.seed, 0, static_cast<std::uint64_t>(index), length)
            : evaluation_sample(task, request, index);
    if (options.format == "src-trg") {
      pairs.push_back(std::move(sample));
      continue;
    }
    const std::string line = options.format == "jsonl"
                                 ? json_line(named, options, length, index, sample)
                                 : sample_text(task, sample) + '\n';
    if (output.is_stdout())
      print(line);
    else
      text += line;
  }
  if (options.format == "src-trg")
    write_pair(options, pairs);
  else if (!output.is_stdout())
    output.write(text);
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
          "are not tokens themselves, and the text; src-trg: token numbers in two files")
      ->capture_default_str();
  data->add_option("-o,--output", options->output,
                   "File to write; - or nothing: stdout; src-trg: two files, FILE.src and FILE.trg")
      ->type_name("FILE");
  data->add_option(
          "--targets", options->targets,
          "src-trg: after, the answers in the .trg, or each, a label for each token there, "
          "-1 for none")
      ->capture_default_str();
  data->footer(
      "Validation and test samples are the very ones that a sweep with this seed evaluates at\n"
      "this length; training samples are drawn like those it trains on. What is written as jsonl\n"
      "or src-trg can be trained on: --task file:FOLDER, see docs/data.md.\n"
      "\n"
      "Examples:\n"
      "  attnspan data recall --length 32 --samples 3\n"
      "  attnspan data recall:queries=1 --length 64 --format jsonl -o mine/test_0_64.jsonl\n"
      "  attnspan data copy --split train --samples 10000 --format src-trg -o mine/train");
  data->callback([options, &command] { command = [options] { return show(*options); }; });
}

}  // namespace attnspan
