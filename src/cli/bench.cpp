#include <atomic>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/progress_line.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/stopwatch.hpp"
#include "model/transformer.hpp"
#include "record/json.hpp"
#include "sweep/model_folder.hpp"
#include "train/benchmark.hpp"
#include "train/cost.hpp"

namespace attnspan {
namespace {

struct BenchOptions {
  std::string attention, task, model, position = "nape";
  int layers = 3, heads = 8, d_model = 128, d_ff = 256, batch_size = 64, length = 64, steps = 30;
  int threads = 0, train_steps = 0;
  double time_limit = 120;
  double learning_rate = 1e-3;
  bool long_evaluation = false, json = false;
  std::vector<std::int64_t> lengths{1024, 4096, 16384, 65536, 262144};
};

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char line[256];
  std::snprintf(line, sizeof line, pattern, values...);
  return line;
}

/// A model for the variant asked for, or for each of the two that the documented figures are for;
/// checked, so that a mistake shows before anything is printed.
std::vector<ModelConfig> models(const BenchOptions& options, const Task& task) {
  std::vector<std::string> variants{"softmax", "asentmax"};
  if (!options.attention.empty()) variants = {canonical_attention(options.attention)};
  std::vector<ModelConfig> configs;
  for (const std::string& attention : variants) {
    ModelConfig config;
    config.layers = options.layers;
    config.heads = options.heads;
    config.d_model = options.d_model;
    config.d_ff = options.d_ff;
    config.vocabulary = task.vocabulary_size();
    config.attention = attention;
    config.position = options.position;
    config.train_tokens = task.total_tokens(options.length, Purpose::training);
    check(config);
    configs.push_back(config);
  }
  return configs;
}

NamedTask task_of(const BenchOptions& options) {
  return make_task(options.task.empty() ? "recall" : options.task);
}

TrainingOptions training_of(const BenchOptions& options) {
  TrainingOptions training;
  training.train_length = options.length;
  training.batch_size = options.batch_size;
  training.learning_rate = options.learning_rate;
  return training;
}

int bench_training(const BenchOptions& options) {
  const NamedTask named = task_of(options);
  named.task->check_length(options.length);
  const std::vector<ModelConfig> configs = models(options, *named.task);
  Json rows = Json::array();
  if (!options.json)
    print(format("%-12s %9s %12s %8s %8s %9s %10s\n", "attention", "ms/step", "tokens/s", "GFLOP/s",
                 "peak", "of peak", "memory"));
  for (const ModelConfig& config : configs) {
    const TrainingSpeed speed =
        measure_training(config, named.task, training_of(options), options.steps);
    rows.push_back({{"attention", config.attention},
                    {"task", named.label},
                    {"position", options.position},
                    {"layers", options.layers},
                    {"heads", options.heads},
                    {"d_model", options.d_model},
                    {"d_ff", options.d_ff},
                    {"batch_size", options.batch_size},
                    {"length", options.length},
                    {"threads", threads()},
                    {"parameters", parameter_count(config)},
                    {"steps", speed.steps},
                    {"tokens_per_step", speed.tokens_per_step},
                    {"milliseconds_per_step", speed.milliseconds_per_step},
                    {"tokens_per_second", speed.tokens_per_second},
                    {"gflops", speed.gflops},
                    {"peak_gflops", speed.peak_gflops},
                    {"fraction_of_peak", speed.fraction_of_peak},
                    {"peak_memory_bytes", speed.peak_memory_bytes}});
    if (!options.json)
      print(format("%-12s %9.1f %12.0f %8.1f %8.1f %8.0f%% %10s\n", config.attention.c_str(),
                   speed.milliseconds_per_step, speed.tokens_per_second, speed.gflops,
                   speed.peak_gflops, 100 * speed.fraction_of_peak,
                   describe_bytes(static_cast<double>(speed.peak_memory_bytes)).c_str()));
  }
  if (options.json) print(rows.size() == 1 ? rows[0].dump(2) + "\n" : rows.dump(2) + "\n");
  return exit_ok;
}

/// Weights to evaluate: random ones, the worst case for skipping, or trained for a while.
AlignedVector<float> weights_for(const BenchOptions& options, const ModelConfig& config,
                                 const NamedTask& named, const std::atomic<bool>& stop) {
  if (options.train_steps == 0) return Transformer<float>(config).initial_parameters(0, 0);
  TrainingOptions training = training_of(options);
  training.steps = options.train_steps;
  training.early_stop = false;
  Trainer trainer(config, named.task, training);
  ProgressLine line;
  const Stopwatch elapsed;
  while (trainer.step() == TrainStatus::running && !stop) {
    if (!line.due()) continue;
    const auto done = static_cast<double>(trainer.steps_done());
    line.draw("training " + config.attention + ": step " + describe_count(trainer.steps_done()) +
              "/" + describe_count(training.steps) + ", " +
              describe_seconds(elapsed.seconds() * (options.train_steps - done) / done) + " left");
  }
  const auto weights = trainer.weights();
  return {weights.begin(), weights.end()};
}

int bench_evaluation(const BenchOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  NamedTask named = task_of(options);
  std::optional<TrainedCell> saved;
  if (!options.model.empty()) {
    saved = load_trained_cell(options.model);
    if (options.task.empty()) named = make_task(saved->row.settings.at("task").get<std::string>());
    if (named.task->vocabulary_size() > saved->model.vocabulary)
      throw InputError(named.label + " has " + std::to_string(named.task->vocabulary_size()) +
                       " tokens, but the model in '" + options.model + "' knows " +
                       std::to_string(saved->model.vocabulary) + ".");
  }
  for (const std::int64_t length : options.lengths) named.task->check_length(length);
  const std::vector<ModelConfig> configs =
      saved ? std::vector{saved->model} : models(options, *named.task);
  Json rows = Json::array();
  if (!options.json)
    print(format("%-12s %9s %9s %10s %10s\n", "attention", "tokens", "skipping", "seconds",
                 "memory"));
  for (const ModelConfig& config : configs) {
    const std::string& attention = config.attention;
    const AlignedVector<float> weights =
        saved ? saved->weights : weights_for(options, config, named, stop);
    for (const bool skip : {true, false}) {
      double last = 0, last_length = 1;
      for (const std::int64_t length : options.lengths) {
        // At worst the work grows with the square of the length.
        const double growth = static_cast<double>(length) / last_length;
        const double expected = last * growth * growth;
        const bool skipped = expected > options.time_limit;
        EvaluationSpeed speed;
        if (!skipped) {
          ProgressLine line;
          line.draw("evaluating " + attention + " at length " + describe_count(length) +
                    (last > 0 ? ", at most about " + describe_seconds(expected) : ""));
          speed = measure_evaluation(config, weights, *named.task, length, skip, &stop);
          last = speed.seconds;
          last_length = static_cast<double>(length);
        }
        if (stop) return exit_interrupted;
        Json row{{"attention", attention},
                 {"length", length},
                 {"tokens", named.task->total_tokens(length, Purpose::evaluation) - 1},
                 {"layers", config.layers},
                 {"train_steps", saved ? saved->row.train.steps : options.train_steps},
                 {"skipping", skip},
                 {"threads", threads()}};
        row["seconds"] = skipped ? Json() : Json(speed.seconds);
        row["peak_memory_bytes"] = skipped ? Json() : Json(speed.peak_memory_bytes);
        row["logits_crc32"] = skipped ? Json() : Json(speed.logits_crc32);
        rows.push_back(row);
        if (!options.json)
          print(
              format("%-12s %9lld %9s ", attention.c_str(),
                     static_cast<long long>(row["tokens"].get<std::int64_t>()),
                     skip ? "on" : "off") +
              (skipped
                   ? std::string("over the time limit\n")
                   : format("%10.2f %10s\n", speed.seconds,
                            describe_bytes(static_cast<double>(speed.peak_memory_bytes)).c_str())));
      }
    }
  }
  if (options.json) print(rows.dump(2) + "\n");
  return exit_ok;
}

void check_numbers(const BenchOptions& options) {
  const auto positive = [](const char* flag, int value) {
    if (value < 1 || value > 1'000'000)
      throw InputError(std::string(flag) + " must be from 1 to 1000000, not " +
                       std::to_string(value) + ".");
  };
  positive("--steps", options.steps);
  positive("--batch-size", options.batch_size);
  if (options.threads != 0) positive("--threads", options.threads);
  if (!options.model.empty() && !options.long_evaluation)
    throw InputError("--model is for --long; training begins at random weights.");
  if (options.train_steps != 0) positive("--train-steps", options.train_steps);
  if (!(options.learning_rate > 0 && std::isfinite(options.learning_rate)))
    throw InputError("--learning-rate must be above 0, not " + shortest(options.learning_rate) +
                     ".");
  if (!(options.time_limit >= 0))
    throw InputError("--time-limit must not be negative, not " + shortest(options.time_limit) +
                     ".");
}

}  // namespace

void add_bench(CLI::App& app, Command& command) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* bench =
      app.add_subcommand("bench", "Measure the speed of training and of long evaluation");
  bench->add_option("--attention", options->attention, "Variant; softmax and asentmax if left out");
  bench->add_option("--task", options->task, "Task; recall if left out");
  bench->add_option("--position", options->position, "Position encoding")->capture_default_str();
  bench->add_option("--layers", options->layers, "Layers")->capture_default_str();
  bench->add_option("--heads", options->heads, "Heads")->capture_default_str();
  bench->add_option("--d-model", options->d_model, "Width")->capture_default_str();
  bench->add_option("--d-ff", options->d_ff, "Feed-forward width")->capture_default_str();
  bench->add_option("--batch-size", options->batch_size, "Samples a step")->capture_default_str();
  bench->add_option("--length", options->length, "Training length")->capture_default_str();
  bench->add_option("--steps", options->steps, "Measured steps")->capture_default_str();
  bench->add_option("--threads", options->threads, "Threads; all if left out");
  bench->add_flag("--long", options->long_evaluation, "Measure evaluation of long samples instead");
  bench->add_option("--lengths", options->lengths, "Lengths for --long")->delimiter(',');
  bench->add_option("--train-steps", options->train_steps,
                    "Steps of training before --long; 0: random weights, the worst case");
  bench->add_option("--model", options->model,
                    "For --long: a model file of attnspan sweep --save-models, on its own task");
  bench
      ->add_option("--learning-rate", options->learning_rate,
                   "Learning rate; a step costs the same whatever it is, if it does not diverge")
      ->capture_default_str();
  bench
      ->add_option("--time-limit", options->time_limit,
                   "Lengths expected to take more seconds than this are left out")
      ->capture_default_str();
  bench->add_flag("--json", options->json, "Print JSON");
  bench->footer(
      "Training: the median step, warm. GFLOP/s counts 6 operations a weight and token and 12 for\n"
      "each number of a visible key, layer and token, whatever is saved; the peak is what\n"
      "multiply-adds in registers alone reach on the same threads, their rates added up, measured\n"
      "between the steps: nothing exceeds it.\n"
      "\n"
      "Examples:\n"
      "  attnspan bench\n"
      "  attnspan bench --attention entmax --json\n"
      "  attnspan bench --long --task recall:alphabet=256 --lengths 1024,65536");
  bench->callback([options, &command] {
    command = [options] {
      check_numbers(*options);
      if (options->threads > 0) set_threads(options->threads);
      return options->long_evaluation ? bench_evaluation(*options) : bench_training(*options);
    };
  });
}

}  // namespace attnspan
