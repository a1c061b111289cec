#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/result.hpp"
#include "record/statistics.hpp"
#include "report/table.hpp"

namespace attnspan {

/// The headline metric of a row minus that of its baseline at one multiple, paired by seeds and
/// test samples. It has an interval and no verdict: the test is made once, over all multiples.
struct MultipleDifference {
  double multiple = 0;
  double value = 0;
  Interval ci95;
};

enum class Verdict { better, worse, not_distinguishable, none };

/// A row against its baseline: everything but the compared axis is equal, the seeds and their test
/// samples are the same. Seeds that diverged or failed count as the worst value, multiples that
/// were given up likewise.
struct RowComparison {
  std::string baseline;  ///< the other row's variant_name; empty where there is none
  std::string reason;    ///< why there is no difference, or no verdict; empty when there is one
  std::vector<MultipleDifference> differences;  ///< at each multiple common to both, increasing
  PairedTest test;                              ///< on the mean over these multiples
  double adjusted_p = 1;                        ///< Holm over the variants of the task
  Verdict verdict = Verdict::none;
  /// Where the two are not distinguishable: the power, after correction, that these seeds have for
  /// a difference as large as the one seen, and how many seeds would have a power of 0.8.
  double power = 0;
  std::optional<int> seeds_needed;
};

/// Several results as one table, and each row's comparison with a baseline.
struct Comparison {
  std::vector<TableRow> rows;
  std::string baseline;                    ///< as asked for; empty for none
  std::vector<RowComparison> comparisons;  ///< one a row
  bool shows_errors = false;  ///< whether a text says what kinds of wrong answers there were
};

/// The cells of several results, each once, and the table that they make.
struct Collection {
  std::vector<CellRow> cells;
  std::vector<TableRow> rows;
};

/// With figures in the headline metrics of the tasks, or all in `shown`. Throws InputError as
/// merge_cells and build_table do.
Collection collect(const std::vector<Result>& results, const Metric* shown = nullptr);

/// Leaves in the results the cells of these tasks, each named in full or without its arguments; all
/// of them where none is named. Throws InputError on a task that no result has.
void keep_tasks(std::vector<Result>& results, const std::vector<std::string>& tasks);

/// Fewer common seeds give no verdict.
inline constexpr int least_seeds = 3;

/// The table with comparisons. `baseline` is an attention ("softmax"), which is compared with what
/// differs in attention alone, or a variant ("softmax/nape"), which is compared with what differs
/// in attention and position; empty for none. `own` names settings in which the two may differ too,
/// because a search chose them for each. Throws InputError on an unknown baseline or setting.
Comparison with_baseline(const Collection& collection, std::string_view baseline,
                         const std::vector<std::string>& own = {});

/// The same from the results; throws as `collect` does, too.
Comparison compare(const std::vector<Result>& results, std::string_view baseline = "");

/// The comparison of rows that are there already, without a baseline.
Comparison without_baseline(std::vector<TableRow> rows);

/// The table as in a results file, and with each row how it compares with the baseline.
Json to_json(const Comparison& comparison);
Json to_json(const RowComparison& comparison);

/// "better", "worse", "not distinguishable here", "no verdict".
std::string_view to_string(Verdict verdict);

}  // namespace attnspan
