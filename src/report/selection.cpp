#include "report/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "report/table.hpp"

namespace attnspan {
namespace {

/// Multiples of the validation samples that every one of these cells has.
std::set<double> common_multiples(std::span<const CellRow> cells, const Seeds& seeds) {
  std::map<double, int> appearances;
  int done = 0;
  for (const auto& [seed, index] : seeds) {
    if (cells[index].status != Status::done) continue;
    ++done;
    for (const Evaluation& evaluation : cells[index].evaluations)
      if (evaluation.split == "validation") ++appearances[evaluation.multiple];
  }
  std::set<double> common;
  for (const auto& [multiple, count] : appearances)
    if (count == done) common.insert(multiple);
  return common;
}

/// What candidates are compared by.
struct Score {
  double value = 0;           ///< validation, mean over multiples and the seeds of the row
  int unfinished = 0;         ///< seeds that are not done, or missing
  double token_accuracy = 0;  ///< as value
  double loss = 0;            ///< training, mean over the seeds that are done

  bool better_than(const Score& other, const Metric& metric) const {
    if (value != other.value) return metric.better(value, other.value);
    return std::tuple(-unfinished, token_accuracy, -loss) >
           std::tuple(-other.unfinished, other.token_accuracy, -other.loss);
  }
};

double or_else(double value, double fallback) { return std::isnan(value) ? fallback : value; }

/// Every candidate is measured against the same number of seeds, so that one lucky seed of an
/// unfinished sweep does not outweigh three of another candidate.
Score score(std::span<const CellRow> cells, const Seeds& seeds, int seed_count,
            const std::set<double>& multiples) {
  Score score;
  int done = 0;
  double loss = 0;
  const Metric& metric = *cells[seeds.begin()->second].metric;
  for (const auto& [seed, index] : seeds) {
    const CellRow& cell = cells[index];
    if (cell.status != Status::done) continue;
    ++done;
    double value = 0, token_accuracy = 0;
    for (const Evaluation& evaluation : cell.evaluations) {
      if (evaluation.split != "validation" || !multiples.contains(evaluation.multiple)) continue;
      const Counts& counts = evaluation.counts;
      value += or_else(value_of(evaluation, metric), metric.lost);
      token_accuracy += or_else(share(counts.right_tokens, counts.answer_tokens), 0);
    }
    const auto count = static_cast<double>(multiples.size());
    score.value += multiples.empty() ? metric.lost : value / count;
    score.token_accuracy += multiples.empty() ? 0 : token_accuracy / count;
    loss += cell.train.loss;
  }
  score.unfinished = seed_count - done;
  score.value = (score.value + score.unfinished * metric.lost) / seed_count;
  score.token_accuracy /= seed_count;
  score.loss = or_else(loss / done, std::numeric_limits<double>::infinity());
  return score;
}

}  // namespace

const Candidates::value_type& best_candidate(std::span<const CellRow> cells,
                                             const Candidates& candidates) {
  Seeds all;
  std::optional<std::set<double>> multiples;
  for (const auto& [values, seeds] : candidates) {
    all.insert(seeds.begin(), seeds.end());
    const bool is_lost = std::all_of(seeds.begin(), seeds.end(), [&](const auto& seed) {
      return cells[seed.second].status != Status::done;
    });
    if (is_lost) continue;
    const std::set<double> here = common_multiples(cells, seeds);
    if (!multiples)
      multiples = here;
    else
      std::erase_if(*multiples, [&](double multiple) { return !here.contains(multiple); });
  }
  const int seed_count = static_cast<int>(all.size());
  const Metric& metric = *cells[all.begin()->second].metric;

  // Values increase, so the smaller one stays when all else is equal.
  const Candidates::value_type* best = nullptr;
  Score best_score;
  for (const auto& candidate : candidates) {
    const Score candidate_score =
        score(cells, candidate.second, seed_count, multiples.value_or(std::set<double>{}));
    if (best != nullptr && !candidate_score.better_than(best_score, metric)) continue;
    best = &candidate;
    best_score = candidate_score;
  }
  return *best;
}

std::string_view selection_rule() {
  return "For each row, the values of what is tuned (learning rates, where the spec does not say "
         "otherwise) with the best headline metric (exact match, where a task does not say "
         "otherwise) on validation samples, averaged over the validation multiples and over seeds, "
         "where a seed that is not done counts as the worst value; ties go to the values with "
         "fewer "
         "such seeds, then to the higher token accuracy on validation samples, then to the lower "
         "training loss, then to the smaller values. Test samples play no part.";
}

}  // namespace attnspan
