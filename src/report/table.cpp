#include "report/table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "report/notes.hpp"
#include "report/selection.hpp"

namespace attnspan {
namespace {

/// The settings of a cell by key; equal ones give equal texts whatever their order.
using Axes = std::map<std::string, Json>;

struct Group {
  Axes axes;
  Candidates candidates;
};

Axes axes_of(const CellRow& cell) {
  Axes axes;
  for (const auto& item : cell.settings.items()) axes[item.key()] = item.value();
  axes["attention"] = cell.attention;
  axes["position"] = cell.position;
  axes["train_length"] = cell.train_length;
  axes["learning_rates"] = cell.learning_rate;
  axes["numerics"] = cell.numerics;
  return axes;
}

Span span_of(const std::map<double, double>& value_by_multiple, const Metric& metric,
             double at_first) {
  if (value_by_multiple.empty()) return std::nullopt;
  // The mean of three times 0.9 is not quite 0.9 in binary.
  const double bound = metric.span_bound(at_first) + (metric.higher_is_better ? -1e-12 : 1e-12);
  double span = 0;
  for (const auto& [multiple, value] : value_by_multiple) {
    if (metric.better(bound, value)) break;
    span = multiple;
  }
  return span;
}

/// Variance that the draw of its samples gives to the value of an evaluation.
double sampling_variance(const Evaluation& evaluation, const Metric& metric) {
  std::vector<double> values;
  for (const Outcome& outcome : evaluation.outcomes)
    values.push_back(metric.of_sample(outcome, evaluation.counts));
  return values.empty() ? variance_by_counts(evaluation, metric) : variance_of_mean(values);
}

using SeedEvaluations = std::vector<std::pair<int, const Evaluation*>>;

Interval sampling_interval(const Accuracy& accuracy, const SeedEvaluations& evaluations,
                           const Metric& metric) {
  if (accuracy.counts.samples == 0) return {metric.lost, metric.lost};  // all of it given up
  // Tokens of one sample are right or wrong together: samples are what is drawn.
  if (metric.is_share) {
    const Interval interval =
        wilson(right_samples(accuracy.counts, metric), accuracy.counts.samples);
    return {std::min(interval.low, accuracy.value.mean),
            std::max(interval.high, accuracy.value.mean)};
  }
  double variance = 0;
  for (const auto& [seed, evaluation] : evaluations)
    variance += sampling_variance(*evaluation, metric);
  const double half =
      normal_quantile * std::sqrt(variance) / static_cast<double>(evaluations.size());
  return {accuracy.value.mean - half, accuracy.value.mean + half};
}

/// What every shortcut scores over these evaluations, each sample weighing the same.
std::vector<ShortcutScore> shortcut_scores(const SeedEvaluations& evaluations) {
  std::vector<ShortcutScore> sums;
  std::int64_t samples = 0;
  for (const auto& [seed, evaluation] : evaluations) {
    if (evaluation->shortcuts.empty()) continue;
    samples += evaluation->counts.samples;
    for (const ShortcutScore& shortcut : evaluation->shortcuts) {
      const double sum = shortcut.value * static_cast<double>(evaluation->counts.samples);
      const auto same = std::find_if(sums.begin(), sums.end(), [&](const ShortcutScore& other) {
        return other.name == shortcut.name;
      });
      if (same == sums.end())
        sums.push_back({shortcut.name, sum});
      else
        same->value += sum;
    }
  }
  if (samples == 0) return {};
  for (ShortcutScore& sum : sums) sum.value /= static_cast<double>(samples);
  return sums;
}

Accuracy pool(double multiple, const SeedEvaluations& evaluations, const Metric& metric,
              const Metric& headline, int lost) {
  Accuracy accuracy;
  accuracy.multiple = multiple;
  std::vector<double> values;
  std::vector<double> token_accuracy;
  for (const auto& [seed, evaluation] : evaluations) {
    const Counts& counts = evaluation->counts;
    accuracy.length = evaluation->length;
    if (accuracy.quantities.empty()) accuracy.quantities = evaluation->quantities;
    accuracy.counts.add(counts);
    accuracy.given_up += evaluation->given_up ? 1 : 0;
    values.push_back(value_of(*evaluation, metric));
    if (counts.answer_tokens > 0)
      token_accuracy.push_back(share(counts.right_tokens, counts.answer_tokens));
    accuracy.seeds.push_back({seed, values.back(), counts.samples});
    if (!evaluation->errors) continue;
    if (!accuracy.errors) accuracy.errors.emplace();
    accuracy.errors->add(*evaluation->errors);
  }
  accuracy.value = spread(values);
  const auto done = static_cast<double>(values.size());
  accuracy.with_lost = (accuracy.value.mean * done + metric.lost * lost) / (done + lost);
  accuracy.token_accuracy = spread(token_accuracy).mean;
  accuracy.ci95 = seed_interval(values, sampling_interval(accuracy, evaluations, metric),
                                metric.minimum, metric.maximum);
  std::vector<ShortcutScore> shortcuts = shortcut_scores(evaluations);
  for (const ShortcutScore& shortcut : shortcuts)
    if (!accuracy.shortcut || headline.better(shortcut.value, accuracy.shortcut->value))
      accuracy.shortcut = shortcut;
  if (headline.is_likelihood) accuracy.shortcuts = std::move(shortcuts);
  return accuracy;
}

/// The mean at the first multiple and how far this one may lie from it, of the seeds' own
/// differences; with one seed of the windows', which end at the same bytes.
Interval growth_interval(const SeedEvaluations& at_first, const SeedEvaluations& here,
                         const Accuracy& first, const Metric& metric) {
  std::vector<double> growth;
  double variance = 0;
  for (const auto& [seed, evaluation] : here)
    for (const auto& [other, before] : at_first) {
      if (other != seed) continue;
      growth.push_back(value_of(*evaluation, metric) - value_of(*before, metric));
      std::vector<double> differences;
      if (before->outcomes.size() == evaluation->outcomes.size())
        for (std::size_t i = 0; i < before->outcomes.size(); ++i)
          differences.push_back(evaluation->outcomes[i].value - before->outcomes[i].value);
      if (!differences.empty()) variance += variance_of_mean(differences);
    }
  if (growth.empty()) return {metric.lost, metric.lost};
  const double mean = spread(growth).mean;
  const double half = normal_quantile * std::sqrt(variance) / static_cast<double>(growth.size());
  const Interval grown = seed_interval(growth, {mean - half, mean + half},
                                       -std::numeric_limits<double>::infinity(), metric.maximum);
  return {first.value.mean + grown.low, first.value.mean + grown.high};
}

void count(SeedCounts& seeds, Status status) {
  switch (status) {
    case Status::done:
      ++seeds.done;
      break;
    case Status::diverged:
      ++seeds.diverged;
      break;
    case Status::failed:
      ++seeds.failed;
      break;
    case Status::skipped:
      ++seeds.skipped;
      break;
  }
}

/// Accuracy and spans from the cells at the selected values.
void summarize(TableRow& row, std::span<const CellRow> cells) {
  const Metric& metric = *row.metric;
  for (const std::size_t index : row.cells) count(row.seeds, cells[index].status);
  std::map<double, SeedEvaluations> tests;
  Spans& span = row.span;
  for (const std::size_t index : row.cells) {
    std::map<double, double> values;
    for (const Evaluation& evaluation : cells[index].evaluations) {
      if (evaluation.split != "test" || (evaluation.counts.samples == 0 && !evaluation.given_up))
        continue;
      tests[evaluation.multiple].emplace_back(cells[index].seed, &evaluation);
      values[evaluation.multiple] = value_of(evaluation, metric);
    }
    if (values.empty()) continue;
    const Span own = span_of(values, metric, values.begin()->second);
    span.seed_min = std::min(span.seed_min.value_or(*own), *own);
    span.seed_max = std::max(span.seed_max.value_or(*own), *own);
  }
  std::map<double, double> means, worse, better, with_lost;
  for (const auto& [multiple, evaluations] : tests) {
    row.accuracy.push_back(pool(multiple, evaluations, metric, *row.headline, row.seeds.lost()));
    const Accuracy& accuracy = row.accuracy.back();
    means[multiple] = accuracy.value.mean;
    with_lost[multiple] = accuracy.with_lost;
    // A bound that each seed's own first value sets is held against how each seed grew: what seeds
    // differ by everywhere is no doubt about that.
    const Interval ends = metric.is_likelihood ? growth_interval(tests.begin()->second, evaluations,
                                                                 row.accuracy.front(), metric)
                                               : accuracy.ci95;
    worse[multiple] = metric.higher_is_better ? ends.low : ends.high;
    better[multiple] = metric.higher_is_better ? ends.high : ends.low;
  }
  if (means.empty()) return;
  const double at_first = means.begin()->second;
  span.point = span_of(means, metric, at_first);
  span.sure = span_of(worse, metric, at_first);
  span.possible = span_of(better, metric, at_first);
  span.with_lost = span_of(with_lost, metric, at_first);
}

TableRow make_row(std::span<const CellRow> cells, const Group& group,
                  const std::vector<std::string>& tuned, const Metric* shown) {
  const auto& [values, seeds] = best_candidate(cells, group.candidates);
  const CellRow& any = cells[seeds.begin()->second];
  TableRow row;
  row.task = any.task;
  row.attention = any.attention;
  row.position = any.position;
  row.train_length = any.train_length;
  row.metric = shown != nullptr ? shown : any.metric;
  row.headline = any.metric;
  row.chance = any.chance;
  row.token_chance = any.token_chance;
  row.settings = Json::object();
  for (const auto& [key, value] : group.axes)
    if (key != "attention" && key != "position" && key != "train_length") row.settings[key] = value;
  row.selected = row.candidates = Json::object();
  for (std::size_t i = 0; i < tuned.size(); ++i) {
    if (values[i].is_null()) continue;  // an axis that these cells do not have
    row.selected[tuned[i]] = values[i];
    std::set<Json> tried;
    for (const auto& [candidate, ignored] : group.candidates) tried.insert(candidate[i]);
    row.candidates[tuned[i]] = Json(tried);
  }
  for (const auto& [seed, index] : seeds) row.cells.push_back(index);
  summarize(row, cells);
  row.notes = notes(row, cells);
  return row;
}

std::string short_text(const Json& value) {
  return value.is_string()   ? value.get<std::string>()
         : value.is_number() ? shortest(value.get<double>())
                             : to_line(value);
}

/// The arguments of this task that `other` has not: "pairs=8".
std::string differing_arguments(const std::string& task, const std::string& other) {
  const auto arguments = [](const std::string& text) {
    return split(text.substr(std::min(text.size(), text.find(':') + 1)), ',');
  };
  std::vector<std::string> own = arguments(task), others = arguments(other);
  std::erase_if(own, [&](const std::string& argument) {
    return std::find(others.begin(), others.end(), argument) != others.end();
  });
  return join(own, ",");
}

/// Labels every row with the settings in which rows of its task and training length differ.
void label_rows(std::vector<TableRow>& rows) {
  for (TableRow& row : rows) {
    std::map<std::string, std::string> parts;
    for (const TableRow& other : rows) {
      if (other.task != row.task || other.train_length != row.train_length) continue;
      for (const auto& item : row.settings.items()) {
        const auto theirs = other.settings.find(item.key());
        if (theirs != other.settings.end() && *theirs == item.value()) continue;
        std::string part = item.key() + "=" + short_text(item.value());
        if (item.key() == "task" && theirs != other.settings.end())
          part = differing_arguments(short_text(item.value()), short_text(*theirs));
        if (!part.empty()) parts[item.key()] = part;
      }
    }
    std::vector<std::string> texts;
    for (const auto& [key, text] : parts) texts.push_back(text);
    row.label = join(texts, " ");
  }
}

Json to_json(Span span) { return span ? Json(*span) : Json(nullptr); }

Json to_json(const Accuracy& accuracy, const Metric& headline) {
  Json json = {{"multiple", accuracy.multiple},
               {"length", accuracy.length},
               {"quantities", to_json(accuracy.quantities)},
               {"mean", accuracy.value.mean},
               {"min", accuracy.value.min},
               {"max", accuracy.value.max},
               {"ci95", to_json(accuracy.ci95)},
               {"with_lost", accuracy.with_lost},
               {"samples", accuracy.counts.samples},
               {"exact", accuracy.counts.exact},
               {"token_accuracy", finite_or_null(accuracy.token_accuracy)},
               {"given_up", accuracy.given_up},
               {"best_shortcut", nullptr},
               {"seeds", Json::array()}};
  if (accuracy.shortcut)
    json["best_shortcut"] = {{"name", accuracy.shortcut->name},
                             {headline.name, accuracy.shortcut->value}};
  for (const ShortcutScore& shortcut : accuracy.shortcuts)
    json["shortcuts"][shortcut.name] = shortcut.value;
  if (!accuracy.counts.positions.empty()) {
    json["whole_window"] = finite_or_null(whole_window(accuracy.counts));
    json["positions"] = to_json(accuracy.counts.positions);
  }
  for (const Accuracy::Seed& seed : accuracy.seeds)
    json["seeds"].push_back(
        {{"seed", seed.seed}, {"value", seed.value}, {"samples", seed.samples}});
  if (!accuracy.counts.depth.empty()) json["depth"] = to_json(accuracy.counts.depth);
  if (accuracy.errors) json["errors"] = attnspan::to_json(*accuracy.errors);
  return json;
}

/// Calls back for every figure of a table that is not what follows. Of files that other versions
/// wrote only what both have counts, and texts do not; nor does how a sum was rounded.
void compare_figures(const std::string& path, const Json& said, const Json& follows,
                     const std::function<void(const std::string&)>& differs) {
  if (said.is_object() && follows.is_object()) {
    for (const auto& [key, value] : said.items())
      if (follows.contains(key)) compare_figures(path + "." + key, value, follows[key], differs);
    return;
  }
  const auto has_text = [](const Json& list) {
    return std::any_of(list.begin(), list.end(), [](const Json& item) { return item.is_string(); });
  };
  if (said.is_array() && follows.is_array() && said.size() == follows.size()) {
    for (std::size_t i = 0; i < said.size(); ++i)
      compare_figures(path + "[" + std::to_string(i) + "]", said[i], follows[i], differs);
    return;
  }
  if (said.is_string() || follows.is_string() || has_text(said) || has_text(follows)) return;
  if (said.is_number() && follows.is_number()) {
    const double one = said.get<double>(), other = follows.get<double>();
    if (std::abs(one - other) <= 1e-9 * std::max(1.0, std::abs(other))) return;
  } else if (said == follows) {
    return;
  }
  differs(path + " is " + to_line(said).substr(0, 60) + ", and " + to_line(follows).substr(0, 60));
}

}  // namespace

std::string axis_title(const std::string& key) {
  if (key == "learning_rates") return "learning rate";
  std::string title = key;
  std::replace(title.begin(), title.end(), '_', ' ');
  return title;
}

std::string variant_name(const TableRow& row) {
  return row.attention + "/" + row.position + (row.label.empty() ? "" : " " + row.label);
}

std::vector<std::string> tuned_axes(const Json& spec) {
  std::vector<std::string> tuned;
  const auto found = spec.find("tune");
  if (found == spec.end() || !found->is_array()) return {"learning_rates"};
  for (const Json& key : *found)
    if (key.is_string()) tuned.push_back(key.get<std::string>());
  return tuned;
}

double whole_window(const Counts& counts) {
  return bits({counts.answer_tokens, counts.log_likelihood});
}

double value_of(const Evaluation& evaluation, const Metric& metric) {
  return evaluation.given_up ? metric.lost : metric.of(evaluation.counts);
}

std::int64_t right_samples(const Counts& counts, const Metric& metric) {
  if (&metric == &exact_match() || counts.samples == 0) return counts.exact;
  return std::llround(metric.of(counts) * static_cast<double>(counts.samples));
}

double variance_by_counts(const Evaluation& evaluation, const Metric& metric) {
  if (!metric.is_share || evaluation.counts.samples == 0) return 0;
  const double p = metric.of(evaluation.counts);
  return p * (1 - p) / static_cast<double>(evaluation.counts.samples);
}

std::vector<TableRow> build_table(std::span<const CellRow> cells,
                                  const std::vector<std::string>& tuned, const Metric* shown) {
  std::vector<Group> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    const CellRow& cell = cells[index];
    Axes axes = axes_of(cell);
    std::vector<Json> values;
    for (const std::string& key : tuned) {
      const auto found = axes.find(key);
      values.push_back(found == axes.end() ? Json() : found->second);
      axes.erase(key);
    }
    const auto [at, is_new] = places.try_emplace({cell.task, to_line(Json(axes))}, groups.size());
    if (is_new) groups.push_back({std::move(axes), {}});
    const auto [same, is_first] =
        groups[at->second].candidates[values].try_emplace(cell.seed, index);
    if (!is_first)
      throw InputError("the cells '" + cells[same->second].key + "' and '" + cell.key +
                       "' have the same settings and seed; leave one of them out");
  }
  std::vector<TableRow> rows;
  for (const Group& group : groups) rows.push_back(make_row(cells, group, tuned, shown));
  label_rows(rows);
  return rows;
}

Json to_json(const TableRow& row) {
  Json json = {{"task", row.task},
               {"attention", row.attention},
               {"position", row.position},
               {"train_length", row.train_length},
               {"label", row.label},
               {"settings", row.settings},
               {"selected", row.selected},
               {"candidates", row.candidates},
               {"seeds",
                {{"done", row.seeds.done},
                 {"diverged", row.seeds.diverged},
                 {"failed", row.seeds.failed},
                 {"skipped", row.seeds.skipped}}},
               {"metric", row.metric->name},
               {"span",
                {{"point", to_json(row.span.point)},
                 {"sure", to_json(row.span.sure)},
                 {"possible", to_json(row.span.possible)},
                 {"with_lost", to_json(row.span.with_lost)},
                 {"seed_min", to_json(row.span.seed_min)},
                 {"seed_max", to_json(row.span.seed_max)}}},
               {"chance", finite_or_null(row.chance)},
               {"token_chance", finite_or_null(row.token_chance)},
               {"notes", row.notes},
               {"accuracy", Json::array()}};
  for (const Accuracy& accuracy : row.accuracy)
    json["accuracy"].push_back(to_json(accuracy, *row.headline));
  return json;
}

Json result_document(const Result& result) {
  Json json = to_json(result);
  json["selection_rule"] = selection_rule();
  json["table"] = Json::array();
  for (const TableRow& row : build_table(result.cells, tuned_axes(result.spec)))
    json["table"].push_back(to_json(row));
  return json;
}

std::string describe_misstated(const Result& result) {
  if (!result.table.is_array()) return "";
  std::string text;
  const Json follows = result_document(result)["table"];
  compare_figures("table", result.table, follows, [&](const std::string& line) {
    text += result.origin + ": " + line + " follows from its cells\n";
  });
  return text;
}

}  // namespace attnspan
