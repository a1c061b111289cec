#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "catalog/arguments.hpp"
#include "cli/build_info.hpp"
#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/sweep_progress.hpp"
#include "cli/threads.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/format.hpp"
#include "report/table.hpp"
#include "sweep/cell.hpp"
#include "sweep/estimate.hpp"
#include "sweep/machine.hpp"
#include "sweep/presets.hpp"
#include "sweep/ranges.hpp"
#include "sweep/session.hpp"
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
    "The results are written to FILE after every cell, and the table goes to stdout. Without -o "
    "FILE\n"
    "is named after the source, as the output says; a results file as source is gone on with. "
    "Finished\n"
    "cells are kept in FILE.journal and a long cell's state in FILE.checkpoint-*: after an "
    "interruption\n"
    "the same command goes on from there (without --fresh), and on a finished sweep it returns at "
    "once.\n"
    "\n"
    "A file grows: with other axes, seeds, tasks, multiples or samples what is missing is computed "
    "and\n"
    "the rest kept. A cell that is finished and needs more tests is trained again, and must give "
    "the\n"
    "same figures; with --save-models DIR only the tests are run, if DIR has its model.\n"
    "\n"
    "Examples:\n"
    "  attnspan sweep quick -o quick.json\n"
    "  attnspan sweep --task copy,sort --attention softmax,asentmax --train-length 16-64*2 \\\n"
    "      --multiples 1,4,16 --seeds 3 --learning-rates 1e-3,3e-3 -o copy.json\n"
    "  attnspan sweep --task recall:alphabet=32,queries=1 --steps 2000 --dry-run\n"
    "  attnspan sweep quick.json --attention entmax:1.3\n"
    "  attnspan sweep --task copy --layers 1,2,3 --weight-decay 0,0.1 \\\n"
    "      --tune learning_rates,weight_decay -o layers.json\n"
    "  attnspan sweep spec.json --shard 2/8 -o part2.json";

struct SweepOptions {
  std::string source;
  std::vector<std::string> tasks;
  std::map<std::string, std::vector<std::string>> settings;  ///< by key, as typed
  std::string shard = "1/1", checkpoint_every = "120";
  std::optional<std::string> output, threads, jobs, time_budget, models;
  std::vector<std::string> rerun;
  bool dry_run = false, fresh = false, add = false, prune = false, quiet = false, diagnose = false;
};

/// What a source names: a preset, or else a file.
struct Source {
  Json spec = Json::object();
  std::string output = "sweep.json";  ///< where results go that nothing else is said about
  bool is_result = false;             ///< then `output` is the source, which is gone on with
};

Source load_source(const std::string& name) {
  Source source;
  if (name.empty()) return source;
  if (name == "-") {
    const std::string origin = "standard input";
    source.spec = spec_of(parse_json(read_file("/dev/stdin", largest_spec), origin, true), origin);
    return source;
  }
  std::vector<std::string> presets;
  for (const Preset& preset : preset_catalog()) {
    if (preset.name == name)
      return {parse_spec(preset.text, "the preset " + name), name + ".json", false};
    presets.push_back(preset.name);
  }
  // A bare word that is no file was meant as a preset.
  std::error_code ignored;
  if (name.find_first_of("./") == std::string::npos && !std::filesystem::exists(name, ignored))
    unknown_name("preset or spec file", name, presets);
  const Json json = parse_json(read_file(name, largest_spec), name, true);
  if (is_result(json)) return {spec_of(json, name), name, true};
  return {spec_of(json, name), std::filesystem::path(name).stem().string() + ".results.json",
          false};
}

Json read_flags(const SweepOptions& options) {
  Json flags = Json::object();
  if (!options.tasks.empty()) flags["task"] = split_parts(join(options.tasks, ","));
  for (const SettingKey& key : setting_keys())
    if (const auto& values = options.settings.at(key.name); !values.empty())
      flags[key.name] = flag_to_json(key, values);
  return flags;
}

double read_checkpoint_seconds(const std::string& text) {
  const double seconds = parse_number(text, "--checkpoint-every");
  if (seconds < 0) throw InputError("--checkpoint-every must not be negative.");
  return seconds;
}

/// One a thread unless it is said: a thread does most where it shares its work with none.
std::size_t read_jobs(const std::optional<std::string>& text, int threads) {
  if (!text) return static_cast<std::size_t>(threads);
  const long long jobs = parse_integer(*text, "--jobs");
  if (jobs < 1 || jobs > 1024)
    throw InputError("--jobs must be from 1 to 1024, not " + std::to_string(jobs) + ".");
  return static_cast<std::size_t>(jobs);
}

/// A sweep with everything that its options settle.
struct Request {
  SweepSpec spec;
  Source source;
  Shard shard;
  int threads;
  std::size_t jobs;  ///< cells side by side at most
  double checkpoint_seconds;
  std::optional<double> time_budget;  ///< seconds
  Continuation continuation;
};

Request read_request(const SweepOptions& options) {
  const Source source = load_source(options.source);
  const int threads = read_threads(options.threads);
  Request request{
      resolve_spec(source.spec, read_flags(options)),
      source,
      parse_shard(options.shard),
      threads,
      read_jobs(options.jobs, threads),
      read_checkpoint_seconds(options.checkpoint_every),
      {},
      {options.add, options.prune, options.rerun, options.diagnose, options.models.value_or("")}};
  if (options.models && options.models->empty())
    throw InputError("--save-models needs the name of a folder.");
  if (options.time_budget)
    request.time_budget = parse_duration(*options.time_budget, "--time-budget");
  check_memory(expand(request.spec), request.threads, memory_bytes());
  return request;
}

bool is_free_or_same(const std::string& path, const SweepSpec& spec) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored) &&
      !std::filesystem::exists(path + ".journal", ignored))
    return true;
  try {
    const Kept kept = read_kept(path);
    return kept.spec && to_json(*kept.spec) == to_json(spec);
  } catch (const InputError&) {
    return false;
  }
}

/// Where the results go: to -o, to the results file that is gone on with, or to a name made from
/// the source's that no other sweep has.
std::string choose_output(const SweepOptions& options, const Request& request) {
  if (options.output) {
    if (options.output->empty())
      throw InputError("-o needs the name of a file, or - for standard output.");
    return *options.output;
  }
  if (request.source.is_result) return request.source.output;
  std::string base = request.source.output.substr(0, request.source.output.rfind(".json"));
  if (request.shard.count > 1)
    base += ".shard-" + std::to_string(request.shard.index) + "-of-" +
            std::to_string(request.shard.count);
  std::string path = base + ".json";
  for (int number = 2; !is_free_or_same(path, request.spec); ++number)
    path = base + "-" + std::to_string(number) + ".json";
  return path;
}

/// A line that says how many cells are finished but for their models; empty when none is.
std::string describe_without_model(const SweepPlan& plan, const std::string& models) {
  if (plan.without_model == 0) return "";
  return describe_cells(plan.without_model) + " finished without a model in " + models +
         ", to be trained again\n";
}

int dry_run(const SweepOptions& options, const Request& request, const Destination& output,
            const std::atomic<bool>& stop) {
  const bool overlooks = options.fresh || !output.is_file();
  const SweepPlan plan = plan_sweep(request.spec, overlooks ? Kept{} : read_kept(output.path()),
                                    request.shard, request.continuation, output.path());
  const std::vector<Cell> cells = pending_cells(plan);
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
  std::string table = cells.empty() ? "" : line("cell", "parameters", "time", "memory");
  const std::size_t jobs = std::min(request.jobs, std::max<std::size_t>(1, cells.size()));
  const int share = std::max(1, request.threads / static_cast<int>(jobs));
  double seconds = 0;
  std::vector<double> bytes;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    bytes.push_back(peak_bytes(cells[i], share));
    table += line(cells[i].key, describe_count(parameter_count(cells[i].model)),
                  describe_seconds(times[i].seconds()), describe_bytes(bytes[i]));
    seconds += times[i].seconds();
  }
  // The largest side by side, if the memory reaches.
  std::sort(bytes.begin(), bytes.end(), std::greater());
  bytes.resize(std::min(jobs, bytes.size()));
  const double most_bytes =
      std::min(memory_bytes(), std::accumulate(bytes.begin(), bytes.end(), 0.0));
  const std::size_t finished = plan.mine.size() - cells.size();
  print(table + describe_cells(cells.size()) + ", about " + describe_seconds(seconds) + " on " +
        std::to_string(request.threads) + (request.threads == 1 ? " thread" : " threads") +
        (jobs > 1 ? ", " + std::to_string(jobs) + " at a time" : "") + ", at most " +
        describe_bytes(most_bytes) + " of memory" +
        (finished > 0 ? "; " + describe_cells(finished) + " finished in " + output.path() : "") +
        "\n" + describe_without_model(plan, request.continuation.models));
  return exit_ok;
}

/// An interruption takes two seconds at most.
void interrupt_before(double budget) { interrupt_after(budget - std::min(3.0, budget / 4)); }

std::string document(const Result& result) { return to_text(result_document(result)); }

/// How an interrupted sweep is gone on with.
std::string way_on(const SweepOptions& options) {
  if (options.fresh) return "the same command without --fresh goes on from there";
  return std::string("the same command goes on from there") +
         (options.rerun.empty() ? "" : ", and runs the cells of --rerun again");
}

/// Runs what is pending. When the results cannot be kept, they come out on stdout.
bool run_session(Session& session, SweepProgress& progress, const Request& request,
                 const std::atomic<bool>& stop, const Destination& output,
                 const SweepOptions& options) {
  try {
    const bool finished = session.run(
        {&stop, request.checkpoint_seconds, {}}, {request.jobs, request.threads, memory_bytes()},
        {[&](std::size_t index, const CellProgress& now) { progress.show(index, now); },
         [&](std::size_t index, const CellRow& row) { progress.note(index, row); }});
    progress.clear();
    return finished;
  } catch (const FileError& error) {
    progress.clear();
    if (output.is_file() && !session.has_unkept_row())
      throw FileError(std::string(error.what()) + "; what is finished is kept in '" +
                      output.path() + ".journal', and " + way_on(options));
    print(document(session.result()));
    throw FileError(std::string(error.what()) +
                    "; what is finished was written to standard output instead");
  }
}

/// Says on stderr what is not as it should be, and returns the exit code.
int conclude(const Session& session, bool finished, const std::string& way_on) {
  const std::vector<CellRow> rows = session.result().cells;
  if (!finished) {
    warn((time_is_over() ? "the time budget is used up, with " : "interrupted with ") +
         describe_cells(rows.size()) + " finished" + (way_on.empty() ? "" : "; " + way_on));
    return exit_interrupted;
  }
  const auto failed = [](const CellRow& row) { return row.status == Status::failed; };
  const auto first = std::find_if(rows.begin(), rows.end(), failed);
  if (first == rows.end()) return exit_ok;
  const auto count = std::count_if(rows.begin(), rows.end(), failed);
  warn(describe_cells(static_cast<std::size_t>(count)) + " failed, the first is " + first->key +
       ": " + first->message);
  return exit_failed_cells;
}

int sweep(const SweepOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  const Request request = read_request(options);
  if (request.time_budget) interrupt_before(*request.time_budget);
  set_threads(request.threads);
  const Destination output(choose_output(options, request));
  if (options.dry_run) return dry_run(options, request, output, stop);

  Session session(request.spec,
                  {output.is_file() ? output.path() : "", result_context(request.threads), document,
                   request.shard, options.fresh, request.continuation});
  if (!options.output && !options.quiet) write_context("results go to " + output.path() + "\n");

  if (!options.quiet)
    write_context(describe_without_model(session.plan(), request.continuation.models));
  SweepProgress progress(pending_cells(session.plan()), session.finished_cells(), options.quiet,
                         stop);
  const bool finished = run_session(session, progress, request, stop, output, options);
  session.finish();

  const std::string table = find_format("text").render(compare({session.result()}));
  if (output.is_file()) {
    print(table + (options.output ? "" : "\nresults: " + output.path() + "\n"));
  } else {
    output.write(document(session.result()));
    if (::isatty(STDERR_FILENO)) write_context(table);
  }
  return conclude(session, finished, output.is_file() ? way_on(options) : "");
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
  sweep_command->add_option(
      "source", options->source,
      "A preset, a spec file (JSON with comments; - for stdin) or a results file");
  sweep_command->add_option("--task", options->tasks, "Tasks; see attnspan list tasks")
      ->group("Axes")
      ->type_name("NAME,...")
      ->allow_extra_args(false);
  for (const SettingKey& key : setting_keys()) {
    const Json value = key.value(Settings{});
    if (value.is_boolean() && !key.is_axis()) {
      sweep_command->add_flag(key.flag(), options->settings[key.name], key.help)
          ->group(heading(key.group));
      continue;
    }
    const bool is_name =
        value.is_string() || (value.is_array() && !value.empty() && value[0].is_string());
    const std::string kind = value.is_boolean() ? "BOOL" : is_name ? "NAME" : "N";
    sweep_command->add_option(key.flag(), options->settings[key.name], key.help)
        ->group(heading(key.group))
        ->default_str(default_text(value))
        ->type_name(key.is_axis() || value.is_array() ? kind + ",..." : kind)
        ->allow_extra_args(false);
  }
  const char* const group = "Running";
  const auto value = [&](const char* name, auto& target, const char* kind, const char* help) {
    return sweep_command->add_option(name, target, help)->group(group)->type_name(kind);
  };
  const auto flag = [&](const char* name, bool& target, const char* help) {
    sweep_command->add_flag(name, target, help)->group(group);
  };
  value("-o,--output", options->output, "FILE",
        "Results file; - for stdout, where nothing is kept");
  flag("--dry-run", options->dry_run,
       "Only show the cells to be run, their parameters, expected time and memory");
  flag("--fresh", options->fresh, "Start over, without what an earlier run has finished");
  flag("--add", options->add,
       "Let FILE grow by cells that differ from its own in other settings, too");
  flag("--prune", options->prune, "Drop what FILE has and this command does not ask for");
  value("--rerun", options->rerun, "KEY", "Run this cell of FILE once more")
      ->allow_extra_args(false);
  value("--save-models", options->models, "DIR",
        "Keep the tested weights of every finished cell in DIR, as safetensors; new tests of a "
        "finished cell then take its model from there");
  flag("--diagnose", options->diagnose,
       "Also record which kinds of errors there were, and what the heads do at every test length: "
       "for report, and compare --errors");
  value("--time-budget", options->time_budget, "TIME",
        "Stop before so much time has passed (90m, 3h, 1h30m), as an interruption would");
  value("--threads", options->threads, "N",
        "Threads of all jobs together; results do not depend on them (default: all cores)");
  value("--jobs", options->jobs, "N",
        "Cells side by side at most, the longest first, as far as the memory reaches; they share "
        "the threads (default: one a thread)");
  value("--shard", options->shard, "i/n",
        "Run part i of n, balanced by cost; join them with attnspan merge");
  value("--checkpoint-every", options->checkpoint_every, "SECONDS",
        "Seconds between checkpoints of a long cell")
      ->capture_default_str();
  flag("--quiet", options->quiet, "No progress, and no line for each cell");
  sweep_command->footer(sweep_footer);
  sweep_command->callback([options, &command] { command = [options] { return sweep(*options); }; });
}

}  // namespace attnspan
