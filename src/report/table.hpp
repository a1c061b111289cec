#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/json.hpp"
#include "record/result.hpp"
#include "record/row.hpp"
#include "record/statistics.hpp"

namespace attnspan {

/// The headline metric on test samples at one multiple, over the seeds that are done.
struct Accuracy {
  double multiple = 0;
  std::int64_t length = 0;
  std::vector<Quantity> quantities;  ///< what a sample of this length holds
  Spread value;                      ///< over seeds, each seed weighing the same
  Interval ci95;         ///< of the mean over seeds; with one seed, of the draw of test samples
  double with_lost = 0;  ///< mean over all seeds, those that diverged or failed at their worst
  double token_accuracy = 0;  ///< mean over seeds
  Counts counts;              ///< of all seeds together
  struct Seed {
    int seed = 0;
    double value = 0;
    std::int64_t samples = 0;
  };
  std::vector<Seed> seeds;
  int given_up = 0;  ///< seeds of which this multiple was not run, and counts as the worst
  std::optional<ShortcutScore> shortcut;  ///< the best
  std::vector<ShortcutScore> shortcuts;   ///< of a task judged by likelihood: all, in its order
  std::optional<ErrorCounts> errors{};    ///< of all seeds together, where they have them
};

/// The seeds of one table row by how they ended.
struct SeedCounts {
  int done = 0;
  int diverged = 0;
  int failed = 0;
  int skipped = 0;
  int lost() const { return diverged + failed; }
  int all() const { return done + diverged + failed + skipped; }
};

/// Largest tested multiple up to which the metric reaches its bound (exact match: 0.9) at every
/// tested multiple; 0 when it does not at the smallest one already; nothing when none was tested.
using Span = std::optional<double>;

struct Spans {
  Span point;      ///< of the mean over seeds
  Span sure;       ///< of the worse end of its 95% interval
  Span possible;   ///< of the better end
  Span with_lost;  ///< of the mean with diverged and failed seeds at their worst
  Span seed_min;   ///< of the seed with the smallest span
  Span seed_max;   ///< of the seed with the largest
};

/// One variant on one task, at the selected values of what is tuned.
struct TableRow {
  std::string task;
  std::string attention;
  std::string position;
  std::int64_t train_length = 0;
  const Metric* metric = &exact_match();    ///< of the figures
  const Metric* headline = &exact_match();  ///< of the task, and of its shortcuts
  Json settings;      ///< all that training depends on, but task, attention, position, train length
                      ///< and what is tuned
  Json selected;      ///< value of each tuned axis, by its key in a spec
  Json candidates;    ///< values of each tuned axis that were tried, ascending
  std::string label;  ///< the settings that differ between rows of the task: "layers=3 steps=500"
  SeedCounts seeds;
  Spans span;
  double chance = 0;
  double token_chance = 0;
  std::vector<Accuracy> accuracy;  ///< by increasing multiple
  std::vector<std::string> notes;  ///< what a reader must know, each a sentence without its stop
  std::vector<std::size_t> cells;  ///< those at the selected values, by seed: places in what the
                                   ///< table was built from
};

/// "asentmax/nape", with the row's label: what is compared.
std::string variant_name(const TableRow& row);

/// The name of an axis in sentences: "learning rate" for "learning_rates".
std::string axis_title(const std::string& key);

/// The tuned axes that a spec names, by their keys; learning rates where it names none.
std::vector<std::string> tuned_axes(const Json& spec);

/// One row for every combination of task and settings except what is tuned and the seed, in order
/// of first appearance. The figures are in the tasks' headline metrics, or all in `shown`; what is
/// tuned is selected by the headline metric either way. Throws InputError when two cells have the
/// same settings and seed.
std::vector<TableRow> build_table(std::span<const CellRow> cells,
                                  const std::vector<std::string>& tuned = {"learning_rates"},
                                  const Metric* shown = nullptr);

/// Bits per byte of all answers, where the headline is of the last.
double whole_window(const Counts& counts);

/// The value of an evaluation in a metric: the worst where it was given up.
double value_of(const Evaluation& evaluation, const Metric& metric);

/// The samples that a share counts as right, rounded to whole ones; for intervals.
std::int64_t right_samples(const Counts& counts, const Metric& metric);

/// Variance that the draw of its samples gives to the value of an evaluation by counts alone; 0
/// where these do not tell.
double variance_by_counts(const Evaluation& evaluation, const Metric& metric);

Json to_json(const TableRow& row);

/// The whole results file: the result with selection rule and table.
Json result_document(const Result& result);

/// Where a figure of a results file's table is not what follows from its cells, a line each; empty
/// when all are.
std::string describe_misstated(const Result& result);

}  // namespace attnspan
