#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "record/result.hpp"
#include "sweep/cell.hpp"
#include "sweep/cell_run.hpp"
#include "sweep/jobs.hpp"
#include "sweep/model_folder.hpp"
#include "sweep/spec.hpp"
#include "sweep/store.hpp"

namespace attnspan {

/// What to make of a sweep that is there already.
struct Continuation {
  bool add = false;    ///< also take what differs in more than axes, seeds, tasks and tests
  bool prune = false;  ///< drop what is no longer asked for
  std::vector<std::string> rerun;  ///< keys of cells to be run once more
  bool diagnose = false;  ///< finished tests, too, are to have their errors told apart and a
                          ///< diagnosis of the heads
  std::string models;     ///< folder of the finished cells' models; empty: none are asked for
};

/// A sweep that is asked for, with what is known of it.
struct SweepPlan {
  SweepSpec spec;  ///< of all that the results will have
  std::vector<Cell> cells;
  std::vector<std::optional<CellRow>> rows;  ///< of each cell: whatever there is of its results
  std::vector<std::size_t> mine;             ///< the cells of the shard
  std::vector<std::size_t> pending;          ///< of these, the ones that are still to be run
  std::set<std::size_t> rerun;               ///< of these, the ones that are not to be compared
  std::set<std::size_t> trained;  ///< of these, the ones whose models are there to be tested
  std::size_t without_model = 0;  ///< how many only lack their model, and are trained again for it
};

/// What is to be run: of a cell whose model is there, no training and only the tests it lacks.
std::vector<Cell> pending_cells(const SweepPlan& plan);

/// A results file and the journal beside it, read without touching them.
struct Kept {
  std::optional<SweepSpec> spec;
  std::vector<CellRow> rows;  ///< the one that is found later holds
};

/// Throws InputError when there is a file at `path` that is not of attnspan, a damaged journal, or
/// when both are of sweeps that have nothing to do with each other; FileError.
Kept read_kept(const std::string& path);

/// Works out what is left to do. Throws InputError when what is kept is of another sweep or was
/// computed by other numerics, and for a key to be run again that there is not; `path` is named in
/// messages.
SweepPlan plan_sweep(const SweepSpec& asked, const Kept& kept, const Shard& shard,
                     const Continuation& continuation, const std::string& path);

/// A sweep at work. With a path, everything finished is kept in the results file, its journal and
/// its checkpoint (docs/surviving.md), and nothing kept is computed again.
class Session {
 public:
  struct Options {
    std::string path;               ///< results file; empty: everything stays in memory
    Json context = Json::object();  ///< of the results
    std::function<std::string(const Result&)> to_text;  ///< what the file is to hold
    Shard shard;
    bool fresh = false;  ///< overlook what is there, and replace it once all else is settled
    Continuation continuation;
  };

  /// Opens the sweep and locks its files. Throws as plan_sweep and Journal do.
  Session(const SweepSpec& asked, Options options);

  const SweepPlan& plan() const { return plan_; }
  /// How many cells of the shard need not be run.
  std::size_t finished_cells() const { return plan_.mine.size() - plan_.pending.size(); }

  /// Called by one thread at a time.
  struct Events {
    /// While the index-th of the plan's pending cells runs.
    std::function<void(std::size_t index, const CellProgress&)> on_progress;
    /// When it is finished and kept.
    std::function<void(std::size_t index, const CellRow&)> on_row;
  };

  /// Runs what is pending, several cells side by side where the limits say so, the longest first,
  /// and writes the results after every cell; false when `stop` ended it early. An exception in a
  /// cell makes its row `failed` and the sweep goes on; only FileError passes through: where
  /// nothing can be written, nothing more is computed. Throws std::runtime_error when a cell that
  /// was finished gives other figures than before.
  bool run(const RunOptions& options, JobLimits limits, const Events& events);

  /// Puts the results file in order, should it not be: a finished sweep that is asked for again
  /// leaves its file as it is, date and all.
  void finish();

  /// After a FileError from `run`: whether a finished row could not be kept.
  bool has_unkept_row() const { return unkept_; }

  /// Everything there is, in the order of the cells.
  Result result() const;

 private:
  void open_files(const SweepSpec& asked);
  void make_plan(const SweepSpec& asked, const Kept& kept);
  std::optional<CellRow> run_pending(std::size_t index, RunOptions options);
  void keep(std::size_t cell, const CellRow& row);
  void write();

  Options options_;
  SweepPlan plan_;
  std::unique_ptr<Store> store_;
  bool written_ = false;  ///< whether the results file is what it should be
  bool unkept_ = false;
};

}  // namespace attnspan
