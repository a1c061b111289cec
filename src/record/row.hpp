#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/attention_figures.hpp"
#include "record/counts.hpp"
#include "record/errors.hpp"
#include "record/json.hpp"
#include "record/metric.hpp"
#include "record/quantity.hpp"
#include "record/statistics.hpp"

namespace attnspan {

/// How a cell ended. Everything but `done` has a message and no figures that could pass for zeros.
enum class Status { done, diverged, failed, skipped };

/// What one of the task's shortcuts scores on the very samples of an evaluation.
struct ShortcutScore {
  std::string name;
  double value = 0;  ///< of the task's metric, mean over the samples
};

/// One evaluation: a trained cell at one length.
struct Evaluation {
  std::int64_t length = 0;
  double multiple = 0;
  std::string split;                 ///< "validation" or "test"
  std::vector<Quantity> quantities;  ///< what a sample of this length holds, in the task's order
  bool given_up =
      false;  ///< not run, since shorter lengths had no right sample; counts as all wrong
  Counts counts;
  std::vector<Outcome> outcomes;         ///< of every sample, in order; none where not kept
  std::vector<ShortcutScore> shortcuts;  ///< in the task's order
  std::optional<ErrorCounts> errors{};   ///< kinds of wrong answers, where they were asked for
  std::optional<AttentionFigures> diagnosis{};  ///< what the heads do, likewise
  double seconds = 0;
};

/// How training stood after a step.
struct CurvePoint {
  std::int64_t step = 0;
  double loss = 0;           ///< running mean of recent steps, nats per answer token
  double learning_rate = 0;  ///< of this step
  double gradient_norm = 0;  ///< of this step, before it is clipped
  double exact_match = 0;    ///< on validation samples at the training length
  double value = 0;          ///< likewise, of a headline metric that is not exact match
};

struct TrainSummary {
  std::int64_t steps = 0;   ///< steps done (fewer than asked for after an early stop)
  std::int64_t tokens = 0;  ///< input tokens seen
  double loss = 0;          ///< mean over answer tokens of the last steps, nats
  double seconds = 0;
  double tokens_per_second = 0;
  std::vector<CurvePoint> curve{};  ///< a point every few steps, up to where a cell diverged
};

/// The tests of a model that was still in training.
struct Snapshot {
  std::int64_t step = 0;  ///< steps done
  std::vector<Evaluation> evaluations;
};

/// One finished cell of a sweep: what was run and what came out. The unit of the journal.
struct CellRow {
  std::string key;  ///< unique in a sweep, and the same in every run of it
  std::string task;
  std::string attention;
  std::string position;
  std::int64_t train_length = 0;
  double learning_rate = 0;
  int seed = 0;  ///< replicate index, 0 .. seeds-1
  /// Whatever else training depends on, by its key in a spec, with the task's resolved text under
  /// "task"; rows with other settings are other rows of a table.
  Json settings = Json::object();
  std::int64_t numerics = 0;  ///< version of the arithmetic; 0 where it was not kept
  Status status = Status::done;
  std::string message;  ///< empty when done
  std::int64_t parameters = 0;
  const Metric* metric = &exact_match();
  double chance = 0;        ///< exact match by uniform guessing, at the training length
  double token_chance = 0;  ///< one answer token by uniform guessing
  TrainSummary train;
  std::vector<Evaluation> evaluations;
  std::vector<Snapshot> during;  ///< by step
};

/// "done", "diverged", "failed" or "skipped".
std::string to_string(Status status);

/// The version of the result schema that is written; it and those before it are read.
inline constexpr int schema_version = 2;

/// The JSON of a row, as in the result schema, with shares and Wilson intervals; and back. Numbers
/// that are not finite are null in JSON and NaN once read. Reading throws InputError on anything
/// that a row written by `to_json` cannot be: a field that is missing, unknown, mistyped or out of
/// bounds, shares that do not follow from the counts, a row without a result that shows one. `path`
/// says in messages where the row stands, `version` is that of the schema.
Json to_json(const CellRow& row);
CellRow row_from_json(const Json& json, const std::string& path = "row",
                      int version = schema_version);

/// Settings label rows: throws InputError that begins with `path` when they hold a text that may
/// not be shown.
void check_settings(const Json& settings, const std::string& path);

/// {samples, exact}, a list of ten each.
Json to_json(const std::vector<DepthCount>& depth);

/// {tokens, log_likelihood}, a list each: entry k is of the answers with at most 2^k tokens before
/// them, and more than half as many.
Json to_json(const std::vector<PositionSum>& positions);

/// {"pairs": 8}.
Json to_json(const std::vector<Quantity>& quantities);

/// [low, high] to six decimals: further digits say nothing, and the last ones differ between
/// compilers.
Json to_json(const Interval& interval);

/// `value`, or null when it is not finite.
Json finite_or_null(double value);

}  // namespace attnspan
