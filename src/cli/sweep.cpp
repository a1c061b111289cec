#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/arguments.hpp"
#include "cli/build_info.hpp"
#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/progress_line.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "record/result.hpp"
#include "report/text.hpp"
#include "sweep/cell.hpp"
#include "sweep/machine.hpp"
#include "sweep/presets.hpp"
#include "sweep/progress.hpp"
#include "sweep/ranges.hpp"
#include "sweep/runner.hpp"
#include "sweep/spec.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_spec = std::size_t{128} << 20;

const char* const sweep_footer =
    "Every setting of axes, model and training takes several values, and is an axis then: by "
    "comma,\n"
    "by repeating the flag, or as a range, first-last*factor or first-last+step. Flags go before "
    "what\n"
    "the spec and its tasks say; a task that is picked with --task keeps the settings that the "
    "spec\n"
    "has for it.\n"
    "\n"
    "With -o FILE the results are written to FILE after every cell and the table goes to stdout.\n"
    "Finished cells are kept in FILE.journal and a long cell's state in FILE.checkpoint: after an\n"
    "interruption the same command goes on from there, and on a finished sweep it returns at "
    "once.\n"
    "Without -o the results go to stdout, the table to stderr if that is a terminal, and nothing\n"
    "is kept.\n"
    "\n"
    "Examples:\n"
    "  attnspan sweep quick -o quick.json\n"
    "  attnspan sweep --task copy,sort --attention softmax,asentmax --train-length 16-64*2 \\\n"
    "      --multiples 1,4,16 --seeds 3 --learning-rates 1e-3,3e-3 -o copy.json\n"
    "  attnspan sweep --task recall:alphabet=32,queries=1 --steps 2000 --dry-run\n"
    "  attnspan sweep quick.json --attention entmax:1.3 -o entmax.json\n"
    "  attnspan sweep spec.json --shard 2/8 -o part2.json";

struct SweepOptions {
  std::string source;
  std::vector<std::string> tasks;
  std::map<std::string, std::vector<std::string>> settings;  ///< by key, as typed
  std::string output, shard = "1/1", checkpoint_every = "120";
  std::optional<std::string> threads;
  bool dry_run = false, fresh = false;
};

/// The spec that the source names: a preset, or else a file.
Json load_spec(const std::string& source) {
  if (source.empty()) return Json::object();
  std::vector<std::string> presets;
  for (const Preset& preset : preset_catalog()) {
    if (preset.name == source) return parse_spec(preset.text, "the preset " + source);
    presets.push_back(preset.name);
  }
  // A bare word that is no file was meant as a preset.
  std::error_code ignored;
  if (source.find_first_of("./") == std::string::npos && !std::filesystem::exists(source, ignored))
    unknown_name("preset or spec file", source, presets);
  return parse_spec(read_file(source, largest_spec), source);
}

Json read_flags(const SweepOptions& options) {
  Json flags = Json::object();
  if (!options.tasks.empty()) flags["task"] = split_parts(join(options.tasks, ","));
  for (const SettingKey& key : setting_keys())
    if (const auto& values = options.settings.at(key.name); !values.empty())
      flags[key.name] = flag_to_json(key, values);
  return flags;
}

int read_threads(const std::optional<std::string>& text) {
  if (!text) return omp_get_max_threads();
  const long long threads = parse_integer(*text, "--threads");
  if (threads < 1 || threads > 1024)
    throw InputError("--threads must be from 1 to 1024, not " + std::to_string(threads) + ".");
  return static_cast<int>(threads);
}

double read_checkpoint_seconds(const std::string& text) {
  const double seconds = parse_number(text, "--checkpoint-every");
  if (seconds < 0) throw InputError("--checkpoint-every must not be negative.");
  return seconds;
}

/// A sweep with everything that its options settle.
struct Plan {
  Json spec;  ///< resolved
  std::vector<Cell> cells;
  std::vector<std::size_t> mine;  ///< the shard's
  int threads;
  double checkpoint_seconds;
};

Plan make_plan(const SweepOptions& options) {
  const SweepSpec spec = resolve_spec(load_spec(options.source), read_flags(options));
  Plan plan{to_json(spec),
            expand(spec),
            {},
            read_threads(options.threads),
            read_checkpoint_seconds(options.checkpoint_every)};
  check_memory(plan.cells, plan.threads, memory_bytes());
  plan.mine = shard_cells(plan.cells, parse_shard(options.shard));
  return plan;
}

int dry_run(const Plan& plan, const std::atomic<bool>& stop) {
  std::vector<Cell> cells;
  for (const std::size_t index : plan.mine) cells.push_back(plan.cells[index]);
  const std::vector<CellTime> times = estimate_times(cells, &stop);
  if (stop) return exit_interrupted;
  std::size_t width = 4;
  for (const Cell& cell : cells) width = std::max(width, cell.key.size());
  const auto line = [&](const std::string& key, const std::string& parameters,
                        const std::string& time, const std::string& memory) {
    const auto right = [](const std::string& text, std::size_t columns) {
      return std::string(columns > text.size() ? columns - text.size() : 1, ' ') + text;
    };
    return key + std::string(width - key.size(), ' ') + right(parameters, 14) + right(time, 15) +
           right(memory, 12) + '\n';
  };
  std::string table = line("cell", "parameters", "time", "memory");
  double seconds = 0, most_bytes = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double bytes = peak_bytes(cells[i], plan.threads);
    table += line(cells[i].key, describe_count(parameter_count(cells[i].model)),
                  describe_seconds(times[i].seconds()), describe_bytes(bytes));
    seconds += times[i].seconds();
    most_bytes = std::max(most_bytes, bytes);
  }
  print(table + std::to_string(cells.size()) + (cells.size() == 1 ? " cell" : " cells") +
        ", about " + describe_seconds(seconds) + " on " + std::to_string(plan.threads) +
        (plan.threads == 1 ? " thread" : " threads") + ", at most " + describe_bytes(most_bytes) +
        " of memory\n");
  return exit_ok;
}

/// What the output file holds already, if it exists; it must be something this sweep may replace.
std::optional<Result> load_previous(const Destination& output, const Json& spec, bool fresh) {
  if (fresh || !output.is_file() || !std::filesystem::exists(output.path())) return std::nullopt;
  Result previous;
  try {
    previous = load_result(output.path());
  } catch (const InputError&) {
    throw InputError("'" + output.path() +
                     "' exists and is not a results file of attnspan; move it away or write to "
                     "another file.");
  }
  if (previous.spec != spec)
    throw InputError("'" + output.path() + "' has the results of another sweep: " +
                     describe_difference(previous.spec, spec) +
                     "; use --fresh to replace it, or write to another file.");
  return previous;
}

/// Tells how a running sweep comes along.
class Reporter {
 public:
  Reporter(const std::vector<Cell>& cells, const std::atomic<bool>& stop) : cells_(cells) {
    if (!line_.visible() || cells_.empty()) return;
    line_.draw("measuring the speed of this machine");
    progress_.emplace(estimate_times(cells_, &stop));
    line_.clear();  // so that the first step shows at once
    start_ = std::chrono::steady_clock::now();
  }

  void show(std::size_t index, const CellProgress& progress) {
    if (!progress_ || !line_.due()) return;
    progress_->at(index, progress);
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const Cell& cell = cells_[index];
    char loss[32];
    std::snprintf(loss, sizeof loss, "%.3f", progress.loss);
    const std::string stage = progress.test_length > 0
                                  ? "testing at length " + describe_count(progress.test_length)
                                  : "step " + describe_count(progress.step) + "/" +
                                        describe_count(cell.training.steps) + " loss " + loss;
    // The name comes last, where a narrow terminal cuts it.
    line_.draw("[" + std::to_string(index + 1) + "/" + std::to_string(cells_.size()) + "] " +
               std::to_string(static_cast<int>(100 * progress_->fraction())) + "%, " +
               describe_seconds(progress_->seconds_left(elapsed)) + " left  " + stage + "  " +
               cell.key);
  }

  /// Takes the line away, before anything else is written.
  void clear() { line_.clear(); }

 private:
  const std::vector<Cell>& cells_;
  ProgressLine line_;
  std::optional<Progress> progress_;
  std::chrono::steady_clock::time_point start_;
};

/// Says on stderr what is not as it should be, and returns the exit code.
int conclude(const Runner& runner, bool finished, const Journal* journal) {
  const std::vector<CellRow> rows = runner.rows();
  if (!finished) {
    warn("interrupted with " + std::to_string(rows.size()) +
         (rows.size() == 1 ? " cell" : " cells") + " finished" +
         (journal ? "; the same command goes on from there" : ""));
    return exit_interrupted;
  }
  const auto failed = [](const CellRow& row) { return row.status == Status::failed; };
  const auto first = std::find_if(rows.begin(), rows.end(), failed);
  if (first == rows.end()) return exit_ok;
  const auto count = std::count_if(rows.begin(), rows.end(), failed);
  warn(std::to_string(count) + (count == 1 ? " cell" : " cells") + " failed, the first is " +
       first->key + ": " + first->message);
  return exit_failed_cells;
}

int run_sweep(const SweepOptions& options, const Plan& plan, const std::atomic<bool>& stop) {
  const Destination output(options.output);
  const std::optional<Result> previous = load_previous(output, plan.spec, options.fresh);
  Json identity = program_identity();
  identity["spec"] = plan.spec;
  std::optional<Journal> journal;
  std::optional<CheckpointFile> checkpoints;
  if (output.is_file()) {
    journal.emplace(output.path() + ".journal", identity, options.fresh);
    checkpoints.emplace(output.path() + ".checkpoint", identity);
    if (options.fresh) checkpoints->remove();
  }
  Runner runner(plan.cells, plan.mine, journal ? &*journal : nullptr,
                checkpoints ? &*checkpoints : nullptr);
  const Json context = result_context(plan.threads);
  const auto result = [&] { return result_document(Result{context, plan.spec, runner.rows()}); };

  Reporter reporter(runner.pending(), stop);
  bool finished = false;
  try {
    finished = runner.run(
        {&stop, plan.checkpoint_seconds, {}},
        {[&](std::size_t index, const CellProgress& progress) { reporter.show(index, progress); },
         [&] {
           if (output.is_file()) output.write(to_text(result()));
         }});
  } catch (const FileError& error) {
    reporter.clear();
    if (!runner.has_unkept_row())
      throw FileError(std::string(error.what()) + "; what is finished is kept in '" +
                      journal->path() + "', and the same command goes on from there");
    print(to_text(result()));
    throw FileError(std::string(error.what()) +
                    "; what is finished was written to standard output instead");
  }
  reporter.clear();

  const std::string table = plain_table(build_table(runner.rows()));
  if (output.is_file()) {
    // A finished sweep that is asked for again leaves its file as it is, date and all.
    if (!previous || without_timings(result_document(*previous)) != without_timings(result()))
      output.write(to_text(result()));
    print(table);
  } else {
    output.write(to_text(result()));
    if (::isatty(STDERR_FILENO)) write_context(table);
  }
  return conclude(runner, finished, journal ? &*journal : nullptr);
}

int sweep(const SweepOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  const Plan plan = make_plan(options);
  omp_set_num_threads(plan.threads);
  return options.dry_run ? dry_run(plan, stop) : run_sweep(options, plan, stop);
}

std::string heading(SettingKey::Group group) {
  switch (group) {
    case SettingKey::Group::axes:
      return "Axes";
    case SettingKey::Group::design:
      return "Design";
    case SettingKey::Group::testing:
      return "Testing";
    case SettingKey::Group::model:
      return "Model";
    case SettingKey::Group::training:
      return "Training";
  }
  return "";
}

/// "16" or "1,2,4".
std::string default_text(const Json& value) {
  const auto text = [](const Json& one) {
    return one.is_string()    ? one.get<std::string>()
           : one.is_boolean() ? std::string(one.get<bool>() ? "true" : "false")
                              : shortest(one.get<double>());
  };
  if (!value.is_array()) return text(value);
  std::vector<std::string> texts;
  for (const Json& one : value) texts.push_back(text(one));
  return join(texts, ",");
}

}  // namespace

void add_sweep(CLI::App& app, Command& command) {
  auto options = std::make_shared<SweepOptions>();
  CLI::App* sweep_command =
      app.add_subcommand("sweep", "Train and test every combination of what is asked for");
  sweep_command->add_option("source", options->source,
                            "A preset, a spec file (JSON with comments) or a results file");
  sweep_command->add_option("--task", options->tasks, "Tasks; see attnspan list tasks")
      ->group("Axes")
      ->type_name("NAME,...")
      ->allow_extra_args(false);
  for (const SettingKey& key : setting_keys()) {
    const Json value = key.value(Settings{});
    const bool is_name = value.is_string() || (value.is_array() && value[0].is_string());
    const std::string kind = value.is_boolean() ? "BOOL" : is_name ? "NAME" : "N";
    sweep_command->add_option(key.flag(), options->settings[key.name], key.help)
        ->group(heading(key.group))
        ->default_str(default_text(value))
        ->type_name(key.is_axis() || value.is_array() ? kind + ",..." : kind)
        ->allow_extra_args(false);
  }
  const char* const group = "Running";
  sweep_command->add_option("-o,--output", options->output, "Results file; - or nothing: stdout")
      ->group(group)
      ->type_name("FILE");
  sweep_command
      ->add_flag("--dry-run", options->dry_run,
                 "Only show the cells, their parameters, expected time and memory")
      ->group(group);
  sweep_command
      ->add_flag("--fresh", options->fresh, "Start over, without what an earlier run has finished")
      ->group(group);
  sweep_command
      ->add_option("--threads", options->threads,
                   "Threads; results do not depend on them (default: all cores)")
      ->group(group)
      ->type_name("N");
  sweep_command
      ->add_option("--shard", options->shard,
                   "Run part i of n, balanced by cost; join them with attnspan merge")
      ->group(group)
      ->type_name("i/n");
  sweep_command
      ->add_option("--checkpoint-every", options->checkpoint_every,
                   "Seconds between checkpoints of a long cell")
      ->group(group)
      ->type_name("SECONDS")
      ->capture_default_str();
  sweep_command->footer(sweep_footer);
  sweep_command->callback([options, &command] { command = [options] { return sweep(*options); }; });
}

}  // namespace attnspan
