#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/sweep_progress.hpp"
#include "cli/threads.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"
#include "record/difference.hpp"
#include "record/result.hpp"
#include "report/table.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/spec.hpp"
#include "train/numerics.hpp"

namespace attnspan {
namespace {

struct VerifyOptions {
  std::string path;
  std::vector<std::string> only;
  std::optional<std::string> threads;
  bool quiet = false;
};

/// A row, and the cell that gave it.
struct Claim {
  CellRow row;
  Cell cell;
};

/// The cells that are to be trained again; those that failed only count.
std::vector<Claim> read_claims(const VerifyOptions& options, const Result& result,
                               std::vector<std::string>& failed) {
  std::vector<std::string> keys;
  for (const CellRow& row : result.cells) keys.push_back(row.key);
  for (const std::string& key : options.only)
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) unknown_name("cell", key, keys);
  std::map<std::string, Cell> cells;
  for (Cell& cell : expand(resolve_spec(result.spec, Json::object())))
    cells.emplace(identity(cell), std::move(cell));

  std::vector<Claim> claims;
  for (const CellRow& row : result.cells) {
    if (!options.only.empty() &&
        std::find(options.only.begin(), options.only.end(), row.key) == options.only.end())
      continue;
    if (row.status == Status::failed) {
      failed.push_back(row.key);
      continue;
    }
    if (row.numerics != numerics())
      throw InputError("'" + options.path + "' has cells of numerics " +
                       std::to_string(row.numerics) +
                       ", and this attnspan computes with numerics " + std::to_string(numerics()) +
                       ", so that no bytes can be compared.");
    const auto cell = cells.find(identity(row));
    if (cell == cells.end())
      throw InputError("'" + options.path + "' has the cell " + row.key +
                       ", which its spec has not.");
    claims.push_back({row, cell->second});
    // Of a sweep that is still growing, what is there.
    std::erase_if(claims.back().cell.tests, [&](const TestPoint& point) {
      return row.status == Status::done &&
             std::none_of(row.evaluations.begin(), row.evaluations.end(),
                          [&](const Evaluation& have) { return is_evaluation_of(have, point); });
    });
  }
  return claims;
}

/// What is another now, a line each; empty when all is the same.
std::string compare(const CellRow& claimed, CellRow found) {
  found.key = claimed.key;
  found.settings = claimed.settings;  // as whoever wrote them says them: the cell was found by them
  for (std::size_t i = 0; i < std::min(found.evaluations.size(), claimed.evaluations.size()); ++i) {
    if (!claimed.evaluations[i].errors) found.evaluations[i].errors.reset();
    if (!claimed.evaluations[i].diagnosis) found.evaluations[i].diagnosis.reset();
  }
  std::string text;
  for (const Difference& difference :
       differences(without_timings(to_json(claimed)), without_timings(to_json(found))))
    text += claimed.key + ": " + difference.path + " is " + to_line(difference.one).substr(0, 60) +
            " there and " + to_line(difference.other).substr(0, 60) + " here\n";
  return text;
}

int verify(const VerifyOptions& options) {
  const std::atomic<bool>& stop = catch_interrupts();
  set_threads(read_threads(options.threads));
  const Result result = load_result(options.path);
  if (result.cells.empty()) throw InputError("'" + options.path + "' has no cells.");
  std::vector<std::string> failed;
  const std::vector<Claim> claims = read_claims(options, result, failed);
  const std::string misstated = options.only.empty() ? describe_misstated(result) : "";
  print(misstated);
  std::vector<Cell> cells;
  for (const Claim& claim : claims) cells.push_back(claim.cell);
  SweepProgress progress(cells, 0, options.quiet, stop);
  std::size_t differing = 0;
  for (std::size_t index = 0; index < claims.size(); ++index) {
    MemoryStore store;
    RunOptions run;
    run.stop = &stop;
    run.errors = run.diagnosis = has_diagnosis(claims[index].row);
    run.on_progress = [&](const CellProgress& now) { progress.show(index, now); };
    const std::optional<CellRow> row = run_cell(claims[index].cell, store, run);
    progress.clear();
    if (!row) {
      warn("interrupted after " + describe_cells(index));
      return exit_interrupted;
    }
    progress.note(index, *row);
    const std::string text = compare(claims[index].row, *row);
    differing += text.empty() ? 0 : 1;
    print(text);
  }
  print(differing == 0 ? describe_cells(claims.size()) + " gave the same bytes again\n"
                       : describe_cells(differing) + " of " + std::to_string(claims.size()) +
                             " gave other figures\n");
  if (!failed.empty())
    warn(describe_cells(failed.size()) + " failed there, the first is " + failed.front() +
         ", and cannot be compared");
  if (differing > 0 || !misstated.empty()) return exit_failure;
  return failed.empty() ? exit_ok : exit_failed_cells;
}

}  // namespace

void add_verify(CLI::App& app, Command& command) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify_command =
      app.add_subcommand("verify", "Train a result's cells again and compare every figure");
  verify_command->add_option("results", options->path, "A results file")->required();
  verify_command->add_option("--only", options->only, "Only this cell")
      ->type_name("KEY")
      ->allow_extra_args(false);
  verify_command
      ->add_option("--threads", options->threads,
                   "Threads; results do not depend on them (default: all cores)")
      ->type_name("N");
  verify_command->add_flag("--quiet", options->quiet, "No progress, and no line for each cell");
  verify_command->footer(
      "Timings aside, a cell gives the same bytes on every machine. Exit code 0 when it does, 1\n"
      "when something differs, which is then named, 3 when cells had failed there. Without --only\n"
      "the file's table is compared with its cells, too. Nothing is written.\n"
      "\n"
      "Example:\n"
      "  attnspan verify results/quick.json --only needle/softmax/nape/n32/lr0.003/seed0");
  verify_command->callback(
      [options, &command] { command = [options] { return verify(*options); }; });
}

}  // namespace attnspan
