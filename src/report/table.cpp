#include "report/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "core/error.hpp"

namespace attnspan {
namespace {

/// The cells of one table row: by learning rate, then by seed.
using Seeds = std::map<int, const CellRow*>;
using Rates = std::map<double, Seeds>;

/// What learning rates are compared by.
struct Score {
  double exact_match = 0;     ///< validation, mean over the seeds of the row
  int unfinished = 0;         ///< seeds that are not done, or missing
  double token_accuracy = 0;  ///< as exact_match
  double loss = 0;            ///< training, mean over the seeds that are done

  bool better_than(const Score& other) const {
    return std::tuple(exact_match, -unfinished, token_accuracy, -loss) >
           std::tuple(other.exact_match, -other.unfinished, other.token_accuracy, -other.loss);
  }
};

double or_else(double value, double fallback) { return std::isnan(value) ? fallback : value; }

/// Every rate is measured against the same number of seeds, so that one lucky seed of an unfinished
/// sweep does not outweigh three of another rate.
Score score(const Seeds& seeds, int seed_count) {
  Score score;
  int done = 0;
  double loss = 0;
  for (const auto& [seed, cell] : seeds) {
    if (cell->status != Status::done) continue;
    ++done;
    Counts validation;
    for (const Evaluation& evaluation : cell->evaluations)
      if (evaluation.split == "validation") validation.add(evaluation.counts);
    score.exact_match += or_else(share(validation.exact, validation.samples), 0);
    score.token_accuracy += or_else(share(validation.right_tokens, validation.answer_tokens), 0);
    loss += cell->train.loss;
  }
  score.exact_match /= seed_count;
  score.token_accuracy /= seed_count;
  score.unfinished = seed_count - done;
  score.loss = or_else(loss / done, std::numeric_limits<double>::infinity());
  return score;
}

const Rates::value_type& select(const Rates& rates) {
  std::map<int, int> appearances;
  for (const auto& [rate, seeds] : rates)
    for (const auto& [seed, cell] : seeds) ++appearances[seed];
  const int seed_count = static_cast<int>(appearances.size());

  // Rates increase, so the smaller one stays when all else is equal.
  const Rates::value_type* best = nullptr;
  Score best_score;
  for (const auto& candidate : rates) {
    const Score candidate_score = score(candidate.second, seed_count);
    if (best != nullptr && !candidate_score.better_than(best_score)) continue;
    best = &candidate;
    best_score = candidate_score;
  }
  return *best;
}

Span span_of(const std::map<double, double>& exact_match_by_multiple) {
  if (exact_match_by_multiple.empty()) return std::nullopt;
  double span = 0;
  for (const auto& [multiple, exact_match] : exact_match_by_multiple) {
    // The mean of three times 0.9 is not quite 0.9 in binary.
    if (exact_match < 0.9 - 1e-12) break;
    span = multiple;
  }
  return span;
}

Accuracy pool(double multiple,
              const std::vector<std::pair<int, const Evaluation*>>& evaluation_by_seed) {
  Accuracy accuracy;
  accuracy.multiple = multiple;
  std::vector<double> exact_match;
  std::vector<double> token_accuracy;
  for (const auto& [seed, evaluation] : evaluation_by_seed) {
    accuracy.length = evaluation->length;
    const Counts& counts = evaluation->counts;
    accuracy.counts.add(counts);
    exact_match.push_back(share(counts.exact, counts.samples));
    if (counts.answer_tokens > 0)
      token_accuracy.push_back(share(counts.right_tokens, counts.answer_tokens));
    accuracy.seeds.push_back({seed, exact_match.back()});
  }
  accuracy.exact_match = spread(exact_match);
  accuracy.token_accuracy = spread(token_accuracy).mean;
  accuracy.ci95 = wilson(accuracy.counts.exact, accuracy.counts.samples);
  return accuracy;
}

TableRow summarize(const Rates& rates) {
  const auto& [rate, seeds] = select(rates);
  const CellRow& any = *seeds.begin()->second;
  TableRow row;
  row.task = any.task;
  row.attention = any.attention;
  row.position = any.position;
  row.train_length = any.train_length;
  row.selected_learning_rate = rate;
  row.chance = any.chance;
  row.token_chance = any.token_chance;

  std::map<double, std::vector<std::pair<int, const Evaluation*>>> tests;
  for (const auto& [seed, cell] : seeds) {
    switch (cell->status) {
      case Status::done:
        ++row.seeds.done;
        break;
      case Status::diverged:
        ++row.seeds.diverged;
        break;
      case Status::failed:
        ++row.seeds.failed;
        break;
      case Status::skipped:
        ++row.seeds.skipped;
        break;
    }
    std::map<double, double> exact_match;
    for (const Evaluation& evaluation : cell->evaluations) {
      if (evaluation.split != "test" || evaluation.counts.samples == 0) continue;
      tests[evaluation.multiple].emplace_back(seed, &evaluation);
      exact_match[evaluation.multiple] = share(evaluation.counts.exact, evaluation.counts.samples);
    }
    if (const Span span = span_of(exact_match)) {
      row.span_min = std::min(row.span_min.value_or(*span), *span);
      row.span_max = std::max(row.span_max.value_or(*span), *span);
    }
  }
  std::map<double, double> means;
  for (const auto& [multiple, evaluation_by_seed] : tests) {
    row.accuracy.push_back(pool(multiple, evaluation_by_seed));
    means[multiple] = row.accuracy.back().exact_match.mean;
  }
  row.span = span_of(means);
  return row;
}

Json to_json(Span span) { return span ? Json(*span) : Json(nullptr); }

Json to_json(const Accuracy& accuracy) {
  Json json = {{"multiple", accuracy.multiple},
               {"length", accuracy.length},
               {"mean", accuracy.exact_match.mean},
               {"min", accuracy.exact_match.min},
               {"max", accuracy.exact_match.max},
               {"ci95", to_json(accuracy.ci95)},
               {"samples", accuracy.counts.samples},
               {"exact", accuracy.counts.exact},
               {"token_accuracy", finite_or_null(accuracy.token_accuracy)},
               {"seeds", Json::array()}};
  for (const Accuracy::Seed& seed : accuracy.seeds)
    json["seeds"].push_back({{"seed", seed.seed}, {"exact_match", seed.exact_match}});
  if (!accuracy.counts.depth.empty()) json["depth"] = to_json(accuracy.counts.depth);
  return json;
}

}  // namespace

std::string variant_name(const TableRow& row) { return row.attention + "/" + row.position; }

std::string_view selection_rule() {
  return "For each task, attention, position and training length, the learning rate with the "
         "highest exact match on validation samples, averaged over seeds, where a seed that is not "
         "done counts as 0; ties go to the rate with fewer such seeds, then to the higher token "
         "accuracy on validation samples, then to the lower training loss, then to the smaller "
         "rate. Test samples play no part.";
}

std::vector<TableRow> build_table(std::span<const CellRow> cells) {
  std::vector<Rates> groups;
  std::map<std::tuple<std::string, std::string, std::string, std::int64_t>, std::size_t> index;
  for (const CellRow& cell : cells) {
    const auto [at, is_new] = index.try_emplace(
        {cell.task, cell.attention, cell.position, cell.train_length}, groups.size());
    if (is_new) groups.emplace_back();
    const auto [same, is_first] =
        groups[at->second][cell.learning_rate].try_emplace(cell.seed, &cell);
    if (!is_first)
      throw InputError("the cells '" + same->second->key + "' and '" + cell.key +
                       "' have the same task, variant, training length, learning rate and seed; "
                       "sweeps that differ in other settings cannot share a table");
  }
  std::vector<TableRow> rows;
  for (const Rates& rates : groups) rows.push_back(summarize(rates));
  return rows;
}

Json to_json(const TableRow& row) {
  Json json = {{"task", row.task},
               {"attention", row.attention},
               {"position", row.position},
               {"train_length", row.train_length},
               {"selected_learning_rate", row.selected_learning_rate},
               {"seeds",
                {{"done", row.seeds.done},
                 {"diverged", row.seeds.diverged},
                 {"failed", row.seeds.failed},
                 {"skipped", row.seeds.skipped}}},
               {"span", to_json(row.span)},
               {"span_min", to_json(row.span_min)},
               {"span_max", to_json(row.span_max)},
               {"chance", finite_or_null(row.chance)},
               {"token_chance", finite_or_null(row.token_chance)},
               {"accuracy", Json::array()}};
  for (const Accuracy& accuracy : row.accuracy) json["accuracy"].push_back(to_json(accuracy));
  return json;
}

Json result_document(const Result& result) {
  Json json = to_json(result);
  json["selection_rule"] = selection_rule();
  json["table"] = Json::array();
  for (const TableRow& row : build_table(result.cells)) json["table"].push_back(to_json(row));
  return json;
}

}  // namespace attnspan
