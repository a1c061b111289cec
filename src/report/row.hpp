#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/json.hpp"
#include "report/statistics.hpp"

namespace attnspan {

/// How a cell ended. Everything but `done` has a message and no figures that could pass for zeros.
enum class Status { done, diverged, failed, skipped };

/// Right answers among the samples whose hidden thing lay in one tenth of the sequence.
struct DepthDecile {
  int decile = 0;
  std::int64_t samples = 0;
  std::int64_t exact = 0;
};

/// One evaluation: a trained cell at one length. Counts, so that nothing is rounded before the
/// report; shares and intervals are worked out when it is written.
struct Evaluation {
  std::int64_t length = 0;
  double multiple = 0;
  std::string split;  ///< "validation" or "test"
  std::int64_t samples = 0;
  std::int64_t exact = 0;          ///< samples with every answer token right
  std::int64_t answer_tokens = 0;  ///< scored tokens
  std::int64_t right_tokens = 0;   ///< of these, right under teacher forcing
  std::vector<DepthDecile> depth;  ///< empty where the task has no depth
  double seconds = 0;
};

struct TrainSummary {
  std::int64_t steps = 0;   ///< steps done (fewer than asked for after an early stop)
  std::int64_t tokens = 0;  ///< input tokens seen
  double loss = 0;          ///< mean over answer tokens of the last steps, nats
  double seconds = 0;
  double tokens_per_second = 0;
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
  Status status = Status::done;
  std::string message;  ///< empty when done
  std::int64_t parameters = 0;
  double chance = 0;        ///< exact match by uniform guessing, at the training length
  double token_chance = 0;  ///< one answer token by uniform guessing
  TrainSummary train;
  std::vector<Evaluation> evaluations;
};

/// "done", "diverged", "failed" or "skipped".
std::string to_string(Status status);

/// The JSON of a row, as in the result schema, with shares and Wilson intervals; and back. Numbers
/// that are not finite are null in JSON and NaN once read. Reading throws InputError on anything
/// that a row written by `to_json` cannot be: a field that is missing, unknown, mistyped or out of
/// bounds, shares that do not follow from the counts, a row without a result that shows one. `path`
/// says in messages where the row stands.
Json to_json(const CellRow& row);
CellRow row_from_json(const Json& json, const std::string& path = "row");

/// {decile, samples, exact, exact_match} for each.
Json to_json(const std::vector<DepthDecile>& depth);

/// [low, high] to six decimals: further digits say nothing, and the last ones differ between
/// compilers.
Json to_json(const Interval& interval);

/// `value`, or null when it is not finite.
Json finite_or_null(double value);

}  // namespace attnspan
