#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/result.hpp"
#include "record/statistics.hpp"
#include "report/table.hpp"

namespace attnspan {

/// Exact match of a variant minus that of its baseline, on the same test samples, all seeds
/// together. The interval treats the two as independent, since only counts are kept; on shared
/// samples it is, if anything, too wide.
struct Difference {
  double value = 0;
  Interval ci95;
};

/// Several results as one table, and each row's differences to a baseline.
struct Comparison {
  std::vector<TableRow> rows;
  std::string baseline;  ///< as asked for; empty for none
  /// By row and accuracy; nothing where there is no baseline to compare with, and in the rows of
  /// the baseline itself.
  std::vector<std::vector<std::optional<Difference>>> differences;
};

/// Merges the cells and builds the table. `baseline` is a variant ("softmax/nape"), or an attention
/// ("softmax"), which is then the baseline of every variant with the same position; empty for none.
/// Throws InputError on an unknown baseline, and as merge_cells and build_table do.
Comparison compare(const std::vector<Result>& results, std::string_view baseline = "");

enum class Format { markdown, csv, json, latex };

/// "md", "csv", "json" or "latex"; throws InputError on anything else.
Format parse_format(std::string_view name);

/// The comparison as a document that ends with a line feed. Markdown and LaTeX have a block for
/// each task and training length with variants as rows and multiples as columns, CSV has a line for
/// each figure.
std::string render(const Comparison& comparison, Format format);

}  // namespace attnspan
