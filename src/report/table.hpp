#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/json.hpp"
#include "record/result.hpp"
#include "record/row.hpp"
#include "record/statistics.hpp"

namespace attnspan {

/// Exact match on test samples at one multiple, over the seeds that are done.
struct Accuracy {
  double multiple = 0;
  std::int64_t length = 0;
  Spread exact_match;  ///< over seeds, each seed weighing the same
  Interval ci95;  ///< Wilson interval of the samples of all seeds together: it says how much the
                  ///< draw of samples matters; how much the seed matters, the spread says
  Counts counts;  ///< of all seeds together
  double token_accuracy = 0;  ///< mean over seeds
  struct Seed {
    int seed = 0;
    double exact_match = 0;
  };
  std::vector<Seed> seeds;
};

/// The seeds of one table row by how they ended.
struct SeedCounts {
  int done = 0;
  int diverged = 0;
  int failed = 0;
  int skipped = 0;
  int all() const { return done + diverged + failed + skipped; }
};

/// Largest tested multiple at which exact match is at least 0.9, there and at every smaller tested
/// multiple; 0 when it is less at the smallest one already; nothing when none was tested.
using Span = std::optional<double>;

/// One variant on one task at its selected learning rate.
struct TableRow {
  std::string task;
  std::string attention;
  std::string position;
  std::int64_t train_length = 0;
  double selected_learning_rate = 0;
  SeedCounts seeds;
  Span span;      ///< of the mean over seeds
  Span span_min;  ///< of the seed with the smallest span
  Span span_max;  ///< of the seed with the largest
  double chance = 0;
  double token_chance = 0;
  std::vector<Accuracy> accuracy;  ///< by increasing multiple
};

/// "asentmax/nape": what is compared.
std::string variant_name(const TableRow& row);

/// How the learning rate of a table row is selected, as a sentence; the result carries it.
std::string_view selection_rule();

/// One row for each (task, attention, position, train_length), in order of first appearance. Throws
/// InputError when two cells of a row have the same learning rate and seed: they come from sweeps
/// that differ in what is no axis of the table.
std::vector<TableRow> build_table(std::span<const CellRow> cells);

Json to_json(const TableRow& row);

/// The whole results file: the result with selection rule and table.
Json result_document(const Result& result);

}  // namespace attnspan
