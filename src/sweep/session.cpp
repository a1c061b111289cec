#include "sweep/session.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "sweep/growth.hpp"
#include "sweep/spec.hpp"
#include "train/numerics.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_replaced = std::size_t{1} << 30;

const char* const ways_out = "; use --fresh to replace it, or write to another file.";

std::string journal_path(const std::string& path) { return path + ".journal"; }

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

[[noreturn]] void refuse_stranger(const std::string& path) {
  throw InputError("'" + path +
                   "' exists and is not a results file of attnspan; move it away or write to "
                   "another file.");
}

std::optional<Result> load_previous(const std::string& path) {
  if (!exists(path)) return std::nullopt;
  try {
    return load_result(path);
  } catch (const InputError&) {
    refuse_stranger(path);
  }
}

/// Even what is to be started over has to be a results file, if a damaged or an old one.
void check_replaceable(const std::string& path) {
  if (!exists(path)) return;
  try {
    if (is_result(parse_json(read_file(path, largest_replaced), path, false))) return;
  } catch (const InputError&) {
  }
  refuse_stranger(path);
}

SweepSpec resolve_kept(const Json& spec, const std::string& path) {
  try {
    return resolve_spec(spec, Json::object());
  } catch (const InputError& error) {
    throw InputError("'" + path + "' has a spec that this attnspan does not take: " + error.what());
  }
}

Json journal_header(const SweepSpec& spec) {
  return {{"numerics", numerics()}, {"spec", to_json(spec)}};
}

void check_numerics(std::int64_t found, const std::string& path) {
  if (found == numerics()) return;
  throw InputError("'" + path + "' has cells of numerics " + std::to_string(found) +
                   ", and this attnspan computes with numerics " + std::to_string(numerics()) +
                   ", which may give other figures" + ways_out);
}

/// What the results file and the journal have between them.
Kept combine(const std::optional<Result>& result, const Json& header,
             const std::vector<CellRow>& journal_rows, const std::string& path) {
  Kept kept;
  if (result) {
    for (const CellRow& row : result->cells) check_numerics(row.numerics, path);
    kept.spec = resolve_kept(result->spec, path);
    kept.rows = result->cells;
  }
  if (header.is_null()) return kept;
  check_numerics(header.value("numerics", std::int64_t{0}), journal_path(path));
  const SweepSpec journaled = resolve_kept(header["spec"], journal_path(path));
  try {
    kept.spec = kept.spec ? grow(*kept.spec, journaled, false) : journaled;
  } catch (const InputError& error) {
    throw InputError("'" + path + "' and its journal are of different sweeps: " + error.what() +
                     "; remove one of them, or use --fresh to replace both.");
  }
  kept.rows.insert(kept.rows.end(), journal_rows.begin(), journal_rows.end());
  return kept;
}

/// Of these evaluations the ones that the cell asks for.
std::vector<Evaluation> asked_for(const Cell& cell, const std::vector<Evaluation>& found) {
  std::vector<Evaluation> asked;
  for (const TestPoint& point : cell.tests) {
    const auto same = std::find_if(found.begin(), found.end(), [&](const Evaluation& evaluation) {
      return is_evaluation_of(evaluation, point) && (cell.give_up || !evaluation.given_up);
    });
    if (same == found.end()) continue;
    asked.push_back(cell.give_up && gives_up(asked) ? given_up_evaluation(*cell.task.task, point)
                                                    : *same);
  }
  return asked;
}

/// The row as this cell's sweep has it: under the cell's key, with the tests that it asks for.
CellRow as_row_of(const Cell& cell, CellRow row) {
  row.key = cell.key;
  row.evaluations = asked_for(cell, row.evaluations);
  std::vector<Snapshot> during;
  for (const Snapshot& snapshot : row.during)
    if (std::find(cell.test_at.begin(), cell.test_at.end(), snapshot.step) != cell.test_at.end())
      during.push_back({snapshot.step, asked_for(cell, snapshot.evaluations)});
  row.during = std::move(during);
  return row;
}

/// Whether the tests of training are there, which no trained model can make up for.
bool is_tested_in_training(const CellRow& row, const Cell& cell) {
  return std::all_of(cell.test_at.begin(), cell.test_at.end(), [&](std::int64_t step) {
    return step >= row.train.steps || is_tested(row, step, cell);
  });
}

bool is_finished(const CellRow& row, const Cell& cell, const RunOptions& recorded) {
  if (row.status != Status::done) return row.status != Status::failed;
  if (!std::all_of(row.evaluations.begin(), row.evaluations.end(), [&](const Evaluation& each) {
        return is_diagnosed(each, *cell.task.task, recorded);
      }))
    return false;
  return row.evaluations.size() == cell.tests.size() && is_tested_in_training(row, cell);
}

/// What a cell that is trained again must repeat.
Json repeated_part(const CellRow& row, const CellRow& other) {
  Json json = without_timings(to_json(row));
  Json part{{"status", json["status"]}, {"train", json["train"]}};
  for (std::size_t i = 0; i < row.evaluations.size(); ++i)
    for (const Evaluation& evaluation : other.evaluations)
      if (evaluation.split == row.evaluations[i].split &&
          evaluation.multiple == row.evaluations[i].multiple && !evaluation.given_up &&
          !row.evaluations[i].given_up)
        part["evaluations"].push_back(json["evaluations"][i]);
  return part;
}

void check_repeated(const CellRow& before, const CellRow& again, const std::string& path) {
  if (before.status == Status::failed) return;
  if (again.status == Status::failed)
    throw std::runtime_error(again.key +
                             ", trained again for more tests, failed: " + again.message);
  const CellRow one = without_diagnosis(before), other = without_diagnosis(again);
  if (repeated_part(one, other) != repeated_part(other, one))
    throw std::runtime_error(again.key +
                             ", trained again for more tests, gives other figures than '" + path +
                             "' has; --rerun " + again.key + " replaces those");
}

}  // namespace

Kept read_kept(const std::string& path) {
  JournalContent journal;
  if (exists(journal_path(path))) journal = read_journal(journal_path(path));
  return combine(load_previous(path), journal.header, journal.rows, path);
}

SweepPlan plan_sweep(const SweepSpec& asked, const Kept& kept, const Shard& shard,
                     const Continuation& continuation, const std::string& path) {
  SweepPlan plan;
  plan.spec = asked;
  if (kept.spec) {
    try {
      SweepSpec grown = grow(*kept.spec, asked, continuation.add);
      if (!continuation.prune) plan.spec = std::move(grown);
    } catch (const InputError& error) {
      throw InputError("'" + path + "' has the results of another sweep: " + error.what() +
                       "; use --add to keep both, --fresh to replace it, or write to another "
                       "file.");
    }
  }
  plan.cells = expand(plan.spec);
  plan.rows.resize(plan.cells.size());
  std::map<std::string, std::size_t> index_by_identity;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    index_by_identity.emplace(identity(plan.cells[i]), i);
    keys.push_back(plan.cells[i].key);
  }
  for (const CellRow& row : kept.rows) {
    const auto cell = index_by_identity.find(identity(row));
    if (cell == index_by_identity.end()) {
      if (continuation.prune) continue;
      throw InputError("'" + path + "' has a row for " + row.key +
                       ", which is no cell of its spec" + ways_out);
    }
    std::optional<CellRow>& known = plan.rows[cell->second];
    if (!known || row.status != Status::failed) known = as_row_of(plan.cells[cell->second], row);
  }
  for (const std::string& key : continuation.rerun) {
    const auto cell = std::find(keys.begin(), keys.end(), key);
    if (cell == keys.end()) unknown_name("cell", key, keys);
    plan.rerun.insert(static_cast<std::size_t>(cell - keys.begin()));
  }
  RunOptions recorded;
  recorded.errors = recorded.diagnosis = continuation.diagnose;
  plan.mine = shard_cells(plan.cells, shard);
  for (const std::size_t index : plan.rerun)
    if (std::find(plan.mine.begin(), plan.mine.end(), index) == plan.mine.end())
      throw InputError(keys[index] + " is to be run again, and is in another shard.");
  for (const std::size_t index : plan.mine) {
    const Cell& cell = plan.cells[index];
    const std::optional<CellRow>& row = plan.rows[index];
    const bool is_there = row && !plan.rerun.contains(index);
    const bool finished = is_there && is_finished(*row, cell, recorded);
    bool has_model = false, needs_model = false;
    if (is_there && row->status == Status::done && !continuation.models.empty()) {
      has_model = ModelFolder(continuation.models).load(cell, *row).has_value();
      needs_model = finished && !has_model;
    }
    if (finished && !needs_model) continue;
    plan.pending.push_back(index);
    if (has_model && is_tested_in_training(*row, cell)) plan.trained.insert(index);
    if (needs_model) ++plan.without_model;
  }
  return plan;
}

std::vector<Cell> pending_cells(const SweepPlan& plan) {
  std::vector<Cell> cells;
  for (const std::size_t index : plan.pending) {
    Cell& cell = cells.emplace_back(plan.cells[index]);
    if (!plan.trained.contains(index)) continue;
    cell.training.steps = 0;
    cell.test_at.clear();
    std::erase_if(cell.tests, [&](const TestPoint& point) {
      const std::vector<Evaluation>& known = plan.rows[index]->evaluations;
      return std::any_of(known.begin(), known.end(), [&](const Evaluation& evaluation) {
        return is_evaluation_of(evaluation, point);
      });
    });
  }
  return cells;
}

Session::Session(const SweepSpec& asked, Options options)
    : options_(std::move(options)), store_(std::make_unique<MemoryStore>()) {
  if (options_.path.empty())
    make_plan(asked, {});
  else
    open_files(asked);
}

void Session::make_plan(const SweepSpec& asked, const Kept& kept) {
  plan_ = plan_sweep(asked, kept, options_.shard, options_.continuation, options_.path);
  if (const std::string& models = options_.continuation.models; !models.empty())
    ModelFolder(models).create();
}

void Session::open_files(const SweepSpec& asked) {
  const std::string& path = options_.path;
  if (options_.fresh) check_replaceable(path);
  std::unique_ptr<Journal> journal;
  if (options_.fresh || exists(journal_path(path)))
    journal = std::make_unique<Journal>(journal_path(path), options_.fresh);
  std::optional<Result> previous;
  Kept kept;
  if (!options_.fresh) {
    previous = load_previous(path);
    kept = combine(previous, journal ? journal->header() : Json(),
                   journal ? journal->rows() : std::vector<CellRow>{}, path);
  }
  make_plan(asked, kept);
  // Without cells; otherwise an interruption would bring back what is to be started over.
  if (options_.fresh && exists(path)) write();
  written_ = previous && without_timings(to_json(*previous)) == without_timings(to_json(result()));

  // Where everything is there already, no journal is needed.
  if (!journal && plan_.pending.empty()) return;
  if (!journal) journal = std::make_unique<Journal>(journal_path(path), false);
  const Json header = journal_header(plan_.spec);
  const Result now = result();
  std::set<std::string> journaled;
  for (const CellRow& row : journal->rows()) journaled.insert(row.key);
  if (journal->header() != header ||
      !std::all_of(now.cells.begin(), now.cells.end(),
                   [&](const CellRow& row) { return journaled.contains(row.key); })) {
    // While the journal is written anew, the rows are safe in the results file.
    if (!now.cells.empty() && !written_) write();
    journal->begin(header, now.cells);
  }
  store_ = std::make_unique<FileStore>(std::move(journal), path + ".checkpoint");
  if (options_.fresh) store_->forget_all();
}

/// With its model, where that is there; a model that is trained is kept, where that is asked for.
std::optional<CellRow> Session::run_pending(std::size_t index, RunOptions options) {
  const Cell& cell = plan_.cells[index];
  const ModelFolder models(options_.continuation.models);
  std::optional<TrainedCell> trained;
  if (plan_.trained.contains(index)) trained = models.load(cell, *plan_.rows[index]);
  if (trained) options.trained = &*trained;
  options.errors = options.diagnosis = options_.continuation.diagnose;
  if (!options_.continuation.models.empty())
    options.on_trained = [&](const CellRow& row, std::span<const float> weights) {
      models.save(cell, row, weights);
    };
  return attempt_cell(cell, *store_, options);
}

bool Session::run(const RunOptions& options, JobLimits limits, const Events& events) {
  std::vector<std::size_t> order(plan_.pending.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  limits.jobs = std::min(limits.jobs, std::max<std::size_t>(1, order.size()));
  const auto cell_of = [&](std::size_t index) -> const Cell& {
    return plan_.cells[plan_.pending[index]];
  };
  // What is longest comes first, so that jobs end at about the same time.
  if (limits.jobs > 1) {
    std::vector<double> flops;
    for (const std::size_t index : order) flops.push_back(cost(cell_of(index)).flops());
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return flops[a] > flops[b]; });
  }
  std::mutex mutex;  // of what follows but the cells themselves
  const bool finished = run_jobs(
      limits, order.size(),
      [&](std::size_t i, int threads) { return peak_bytes(cell_of(order[i]), threads); },
      options.stop,
      [&](std::size_t i, const Job& job) {
        const std::size_t index = order[i];
        {
          const std::lock_guard lock(mutex);
          store_->reserve(limits.jobs);
        }
        RunOptions own = options;
        own.stop = job.stop();
        own.on_progress = [&](const CellProgress& progress) {
          job.take_share();
          if (!events.on_progress) return;
          const std::lock_guard lock(mutex);
          events.on_progress(index, progress);
        };
        const std::optional<CellRow> row = run_pending(plan_.pending[index], own);
        if (!row) return false;
        const std::lock_guard lock(mutex);
        keep(plan_.pending[index], *row);
        if (events.on_row) events.on_row(index, *row);
        return true;
      });
  if (finished) store_->forget_all();  // of cells after which an earlier run was killed
  return finished;
}

void Session::keep(std::size_t cell, const CellRow& row) {
  std::optional<CellRow>& known = plan_.rows[cell];
  if (known && !plan_.rerun.contains(cell)) check_repeated(*known, row, options_.path);
  known = row;
  written_ = false;
  unkept_ = true;
  store_->append(row);
  unkept_ = false;
  store_->forget(plan_.cells[cell]);
  write();
}

void Session::finish() {
  if (!written_) write();
}

void Session::write() {
  if (options_.path.empty()) return;
  write_atomically(options_.path, options_.to_text(result()));
  written_ = true;
}

Result Session::result() const {
  Result result;
  result.context = options_.context;
  result.spec = to_json(plan_.spec);
  for (const std::optional<CellRow>& row : plan_.rows)
    if (row) result.cells.push_back(*row);
  return result;
}

}  // namespace attnspan
