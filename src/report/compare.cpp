#include "report/compare.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "core/names.hpp"
#include "report/selection.hpp"

namespace attnspan {
namespace {

constexpr double level = 0.05;

bool names_variant(const TableRow& row, std::string_view baseline) {
  return row.attention + "/" + row.position == baseline;
}

bool is_baseline(const TableRow& row, std::string_view baseline) {
  return row.attention == baseline || names_variant(row, baseline);
}

void check_baseline(const std::vector<TableRow>& rows, std::string_view baseline) {
  std::vector<std::string> allowed;
  for (const TableRow& row : rows) {
    if (is_baseline(row, baseline)) return;
    for (const std::string& name : {row.attention, row.attention + "/" + row.position})
      if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) allowed.push_back(name);
  }
  unknown_name("baseline", baseline, allowed);
}

std::string text(const Json& settings, const std::string& key) {
  const auto found = settings.find(key);
  if (found == settings.end()) return "not known";
  return found->is_string() ? found->get<std::string>() : to_line(*found);
}

/// Settings that any of the rows knows or had a choice of.
std::set<std::string> known_settings(const std::vector<const TableRow*>& rows) {
  std::set<std::string> keys;
  for (const TableRow* row : rows)
    for (const Json* object : {&row->settings, &row->candidates})
      for (const auto& item : object->items()) keys.insert(item.key());
  return keys;
}

void check_settings(const std::vector<TableRow>& rows, const std::vector<std::string>& names) {
  std::vector<const TableRow*> all;
  for (const TableRow& row : rows) all.push_back(&row);
  const std::set<std::string> known = known_settings(all);
  for (const std::string& name : names)
    if (!known.contains(name)) unknown_name("setting", name, {known.begin(), known.end()});
}

/// In what else than the compared axis, and what each may have of its own, two rows of a task
/// differ: "steps is 500 here and 1000 there", each; none when they may be compared.
std::vector<std::string> differing(const TableRow& row, const TableRow& other,
                                   std::string_view baseline, const std::vector<std::string>& own) {
  std::vector<std::string> reasons;
  const auto differ = [&](const std::string& what, const std::string& here,
                          const std::string& there) {
    if (here != there) reasons.push_back(what + " is " + here + " here and " + there + " there");
  };
  if (!names_variant(other, baseline)) differ("position", row.position, other.position);
  differ("train length", std::to_string(row.train_length), std::to_string(other.train_length));
  std::set<std::string> keys = known_settings({&row, &other});
  for (const std::string& name : own) keys.erase(name);
  for (const std::string& key : keys)
    differ(axis_title(key), text(row.settings, key), text(other.settings, key));
  for (const std::string& key : keys)
    differ("what was tried of " + axis_title(key), text(row.candidates, key),
           text(other.candidates, key));
  return reasons;
}

/// The row of the task that a row is compared with, or else the one that differs least, of those
/// under the same position encoding where there are any.
std::pair<const TableRow*, std::vector<std::string>> find_baseline(
    const TableRow& row, const std::vector<TableRow>& rows, std::string_view baseline,
    const std::vector<std::string>& own) {
  std::pair<const TableRow*, std::vector<std::string>> best{nullptr, {}};
  const auto distance = [&](const TableRow& other, const std::vector<std::string>& reasons) {
    return std::pair{!reasons.empty() && other.position != row.position, reasons.size()};
  };
  for (const TableRow& other : rows) {
    if (&other == &row || other.task != row.task || !is_baseline(other, baseline)) continue;
    std::vector<std::string> reasons = differing(row, other, baseline, own);
    if (best.first == nullptr || distance(other, reasons) < distance(*best.first, best.second))
      best = {&other, std::move(reasons)};
  }
  return best;
}

const Evaluation* find_test(const CellRow& cell, double multiple) {
  for (const Evaluation& evaluation : cell.evaluations)
    if (evaluation.split == "test" && evaluation.multiple == multiple &&
        (evaluation.counts.samples > 0 || evaluation.given_up))
      return &evaluation;
  return nullptr;
}

/// One seed of both rows.
struct Pair {
  const CellRow* here;
  const CellRow* there;
};

bool is_lost(const CellRow& cell) { return cell.status != Status::done; }

/// Seeds that came to an end in both rows, with a result or without.
std::vector<Pair> common_seeds(const TableRow& row, const TableRow& other,
                               const std::vector<CellRow>& cells) {
  std::map<int, const CellRow*> there;
  for (const std::size_t index : other.cells) there[cells[index].seed] = &cells[index];
  std::vector<Pair> pairs;
  for (const std::size_t index : row.cells) {
    const auto found = there.find(cells[index].seed);
    if (found == there.end() || cells[index].status == Status::skipped ||
        found->second->status == Status::skipped)
      continue;
    pairs.push_back({&cells[index], found->second});
  }
  return pairs;
}

/// Multiples that every cell with a result has.
std::vector<double> common_multiples(const TableRow& row, const TableRow& other,
                                     const std::vector<Pair>& pairs) {
  std::set<double> multiples;
  for (const TableRow* each : {&row, &other})
    for (const Accuracy& accuracy : each->accuracy) multiples.insert(accuracy.multiple);
  std::erase_if(multiples, [&](double multiple) {
    return std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
      return (!is_lost(*pair.here) && find_test(*pair.here, multiple) == nullptr) ||
             (!is_lost(*pair.there) && find_test(*pair.there, multiple) == nullptr);
    });
  });
  return {multiples.begin(), multiples.end()};
}

/// Value of each test sample; the worst for one where nothing was run; none where it was not kept.
double sample_value(const Evaluation* evaluation, std::size_t index, const Metric& metric) {
  return evaluation == nullptr || evaluation->given_up
             ? metric.lost
             : metric.of_sample(evaluation->outcomes[index], evaluation->counts);
}

/// The difference of one seed at one multiple. Test sample i is the same for both, so that where
/// every sample was kept, those that both have are paired; else the two count as independent.
PairedSeed pair_at(const Pair& pair, double multiple, const Metric& metric) {
  const Evaluation* here = is_lost(*pair.here) ? nullptr : find_test(*pair.here, multiple);
  const Evaluation* there = is_lost(*pair.there) ? nullptr : find_test(*pair.there, multiple);
  std::optional<std::size_t> common;
  bool all_kept = true;
  for (const Evaluation* evaluation : {here, there}) {
    if (evaluation == nullptr || evaluation->given_up) continue;
    all_kept = all_kept && !evaluation->outcomes.empty();
    const std::size_t size = evaluation->outcomes.size();
    common = std::min(common.value_or(size), size);
  }
  if (!common) return {};  // nothing was run on either side
  if (!all_kept) {
    const auto value = [&](const Evaluation* evaluation) {
      return evaluation == nullptr ? metric.lost : value_of(*evaluation, metric);
    };
    const auto variance = [&](const Evaluation* evaluation) {
      return evaluation == nullptr ? 0 : variance_by_counts(*evaluation, metric);
    };
    return {value(here) - value(there), variance(here) + variance(there)};
  }
  std::vector<double> differences(*common);
  double sum = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    differences[i] = sample_value(here, i, metric) - sample_value(there, i, metric);
    sum += differences[i];
  }
  return {sum / static_cast<double>(differences.size()), variance_of_mean(differences)};
}

/// The interval of a difference of shares is at least that of independent samples: paired ones that
/// all agree would leave no doubt at all.
Interval widened(const PairedTest& test, const std::vector<Pair>& pairs, double multiple,
                 const Metric& metric) {
  Interval interval = test.ci95;
  Counts here, there;
  for (const Pair& pair : pairs) {
    if (const Evaluation* evaluation = find_test(*pair.here, multiple))
      here.add(evaluation->counts);
    if (const Evaluation* evaluation = find_test(*pair.there, multiple))
      there.add(evaluation->counts);
  }
  if (metric.is_share && here.samples > 0 && there.samples > 0) {
    const Interval independent = newcombe(right_samples(here, metric), here.samples,
                                          right_samples(there, metric), there.samples);
    interval = {std::min(interval.low, independent.low), std::max(interval.high, independent.high)};
  }
  const double range = metric.maximum - metric.minimum;
  return {std::max(interval.low, -range), std::min(interval.high, range)};
}

void compare_rows(RowComparison& comparison, const TableRow& row, const TableRow& other,
                  const std::vector<CellRow>& cells) {
  const std::vector<Pair> pairs = common_seeds(row, other, cells);
  const std::vector<double> multiples = common_multiples(row, other, pairs);
  if (pairs.empty() || multiples.empty()) {
    comparison.reason = pairs.empty() ? "no common seeds" : "no common multiples";
    return;
  }
  const auto count = static_cast<double>(multiples.size());
  std::vector<PairedSeed> means(pairs.size());
  for (const double multiple : multiples) {
    std::vector<PairedSeed> at_multiple;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      at_multiple.push_back(pair_at(pairs[i], multiple, *row.metric));
      means[i].difference += at_multiple[i].difference / count;
      means[i].sampling_variance += at_multiple[i].sampling_variance / (count * count);
    }
    const PairedTest test = paired_test(at_multiple);
    comparison.differences.push_back(
        {multiple, test.difference, widened(test, pairs, multiple, *row.metric)});
  }
  comparison.test = paired_test(means);
  if (comparison.test.seeds < least_seeds)
    comparison.reason =
        "a verdict needs " + std::to_string(least_seeds) + " common seeds, and there " +
        (comparison.test.seeds == 1 ? "is " : "are ") + std::to_string(comparison.test.seeds);
}

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

/// Holm over the comparisons of each task, and what they then say.
void decide(Comparison& comparison) {
  std::map<std::string, std::vector<std::size_t>> families;
  for (std::size_t i = 0; i < comparison.rows.size(); ++i)
    if (comparison.comparisons[i].test.seeds >= least_seeds)
      families[comparison.rows[i].task].push_back(i);
  for (const auto& [task, family] : families) {
    std::vector<double> p;
    for (const std::size_t i : family) p.push_back(comparison.comparisons[i].test.p);
    const std::vector<double> adjusted = holm(p);
    for (std::size_t k = 0; k < family.size(); ++k) {
      RowComparison& row = comparison.comparisons[family[k]];
      const PairedTest& test = row.test;
      row.adjusted_p = adjusted[k];
      if (row.adjusted_p < level) {
        const Metric& metric = *comparison.rows[family[k]].metric;
        row.verdict = metric.better(test.difference, 0) ? Verdict::better : Verdict::worse;
        continue;
      }
      row.verdict = Verdict::not_distinguishable;
      if (test.difference == 0) continue;
      const double corrected = level / static_cast<double>(family.size());
      const double deviation = test.standard_error * std::sqrt(test.seeds);
      row.power = paired_power(test.difference, deviation, test.seeds, corrected);
      row.seeds_needed = seeds_needed(test.difference, deviation, corrected);
    }
  }
}

}  // namespace

Comparison without_baseline(std::vector<TableRow> rows) {
  Comparison comparison;
  comparison.rows = std::move(rows);
  comparison.comparisons.resize(comparison.rows.size());
  return comparison;
}

void keep_tasks(std::vector<Result>& results, const std::vector<std::string>& tasks) {
  if (tasks.empty()) return;
  const auto is_named = [](const std::string& task, const std::string& name) {
    return task == name || task.substr(0, task.find(':')) == name;
  };
  for (const std::string& name : tasks) {
    std::vector<std::string> allowed;
    bool found = false;
    for (const Result& result : results)
      for (const CellRow& cell : result.cells) {
        found = found || is_named(cell.task, name);
        if (std::find(allowed.begin(), allowed.end(), cell.task) == allowed.end())
          allowed.push_back(cell.task);
      }
    if (!found) unknown_name("task", name, allowed);
  }
  for (Result& result : results)
    std::erase_if(result.cells, [&](const CellRow& cell) {
      return std::none_of(tasks.begin(), tasks.end(),
                          [&](const std::string& name) { return is_named(cell.task, name); });
    });
}

Collection collect(const std::vector<Result>& results, const Metric* shown) {
  std::vector<std::string> tuned;
  for (const Result& result : results)
    for (const std::string& axis : tuned_axes(result.spec))
      if (std::find(tuned.begin(), tuned.end(), axis) == tuned.end()) tuned.push_back(axis);
  Collection collection{merge_cells(results), {}};
  collection.rows = build_table(collection.cells, tuned, shown);
  return collection;
}

Comparison compare(const std::vector<Result>& results, std::string_view baseline) {
  return with_baseline(collect(results), baseline);
}

Comparison with_baseline(const Collection& collection, std::string_view baseline,
                         const std::vector<std::string>& own) {
  Comparison comparison = without_baseline(collection.rows);
  comparison.baseline = baseline;
  if (baseline.empty()) return comparison;
  check_baseline(comparison.rows, baseline);
  check_settings(comparison.rows, own);
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const TableRow& row = comparison.rows[i];
    RowComparison& compared = comparison.comparisons[i];
    const auto [other, reasons] = find_baseline(row, comparison.rows, baseline, own);
    // A row of the baseline itself is compared with another one only where that is asked for.
    if (is_baseline(row, baseline)) continue;
    if (other == nullptr) {
      compared.reason = "the task has no row of the baseline";
      continue;
    }
    compared.baseline = variant_name(*other);
    if (reasons.empty())
      compare_rows(compared, row, *other, collection.cells);
    else
      compared.reason = join(reasons);
  }
  decide(comparison);
  return comparison;
}

Json to_json(const RowComparison& comparison) {
  const PairedTest& test = comparison.test;
  Json json = {{"baseline", comparison.baseline.empty() ? Json() : Json(comparison.baseline)},
               {"verdict", to_string(comparison.verdict)},
               {"reason", comparison.reason},
               {"seeds", test.seeds}};
  if (test.seeds == 0) return json;
  json["difference"] = test.difference;
  json["ci95"] = to_json(test.ci95);
  json["p"] = rounded(test.p);
  json["adjusted_p"] = rounded(comparison.adjusted_p);
  if (comparison.verdict == Verdict::not_distinguishable && test.difference != 0) {
    json["power"] = rounded(comparison.power);
    json["seeds_needed"] = comparison.seeds_needed ? Json(*comparison.seeds_needed) : Json();
  }
  json["differences"] = Json::array();
  for (const MultipleDifference& difference : comparison.differences)
    json["differences"].push_back({{"multiple", difference.multiple},
                                   {"difference", difference.value},
                                   {"ci95", to_json(difference.ci95)}});
  return json;
}

Json to_json(const Comparison& comparison) {
  const Json baseline = comparison.baseline.empty() ? Json() : Json(comparison.baseline);
  Json json = {
      {"baseline", baseline}, {"selection_rule", selection_rule()}, {"table", Json::array()}};
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    Json row = to_json(comparison.rows[i]);
    const RowComparison& compared = comparison.comparisons[i];
    if (!compared.baseline.empty() || !compared.reason.empty())
      row["comparison"] = to_json(compared);
    json["table"].push_back(std::move(row));
  }
  return json;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::not_distinguishable:
      return "not distinguishable here";
    case Verdict::none:
      break;
  }
  return "no verdict";
}

}  // namespace attnspan
