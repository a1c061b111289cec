#pragma once

#include <span>
#include <string>
#include <string_view>

#include "record/counts.hpp"

namespace attnspan {

/// The figure that a task is judged by. Selection, span and verdicts know of a metric what stands
/// here and nothing else.
struct Metric {
  std::string_view name;   ///< in results: "exact_match"
  std::string_view title;  ///< in sentences: "exact match"
  bool higher_is_better = true;
  double minimum = 0, maximum = 1;  ///< intervals are clipped to these
  double lost = 0;                  ///< what a seed that diverged or failed counts as
  bool is_share = true;             ///< shown in percent
  bool is_likelihood = false;       ///< of the last answers: Counts::last and positions are kept
  bool is_of_tokens = false;        ///< what guessing scores is that of one token
  /// The value over these samples; NaN without any.
  double (*of)(const Counts& counts) = nullptr;
  /// That of one of these samples.
  double (*of_sample)(const Outcome& outcome, const Counts& counts) = nullptr;
  /// What a multiple must reach to be part of the span, given the value at the smallest multiple.
  double (*span_bound)(double at_first) = nullptr;

  /// a is better than b.
  bool better(double a, double b) const { return higher_is_better ? a > b : a < b; }
};

/// The share of samples with every answer token right. In the span: at least 0.9.
const Metric& exact_match();

/// Minus the base-2 log-likelihood per token; NaN without any.
double bits(const PositionSum& sum);

/// Minus the base-2 log-likelihood per answer token, where tokens are bytes, of the last answers of
/// each sample where these were kept apart, else of all of them: lower is better; a lost seed
/// counts as one that guesses uniformly. In the span: at most 1% above the value at 1x.
const Metric& bits_per_byte();

/// The share of answer tokens that are right under teacher forcing; no task is judged by it. In the
/// span: at least 0.9. A sample counts its right tokens over the mean number of answer tokens.
const Metric& token_accuracy();

/// The metrics that are known of every task: exact match, token accuracy. Throws InputError on
/// another name.
const Metric& find_common_metric(std::string_view name);

/// Every metric that a task may be judged by.
std::span<const Metric> metrics();

/// Throws InputError about `kind`, naming the nearest, when there is none of this name.
const Metric& find_metric(std::string_view name, std::string_view kind = "metric");

}  // namespace attnspan
