#include "record/row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "record/fields.hpp"

namespace attnspan {
namespace {

constexpr std::array<std::pair<Status, const char*>, 4> statuses{{
    {Status::done, "done"},
    {Status::diverged, "diverged"},
    {Status::failed, "failed"},
    {Status::skipped, "skipped"},
}};

/// Far beyond any real value, and small enough that sums and products stay finite.
constexpr double largest_number = 1e18;

/// Of samples and answer tokens in one evaluation. A table adds up those of many cells, and as many
/// as a file can hold must not overflow.
constexpr std::int64_t largest_evaluated = std::int64_t{1} << 40;

/// Of how many samples each is right, or the value where the metric is no count.
Json to_json(const std::vector<ShortcutScore>& shortcuts, const Counts& counts,
             const Metric& metric) {
  Json json = Json::object();
  for (const ShortcutScore& shortcut : shortcuts) {
    if (metric.is_likelihood)
      json[shortcut.name] = finite_or_null(shortcut.value);
    else
      json[shortcut.name] = std::llround(shortcut.value * static_cast<double>(counts.samples));
  }
  return json;
}

/// One character and one number a sample.
Json to_json(const std::vector<Outcome>& outcomes, const Metric& metric) {
  if (outcomes.empty()) return nullptr;
  std::string exact;
  Json right_tokens = Json::array();
  Json values = Json::array();
  for (const Outcome& outcome : outcomes) {
    exact += outcome.exact ? '1' : '0';
    right_tokens.push_back(outcome.right_tokens);
    values.push_back(finite_or_null(outcome.value));
  }
  Json json = {{"exact", exact}, {"right_tokens", right_tokens}};
  if (&metric != &exact_match()) json[metric.name] = values;
  return json;
}

Json to_json(const Evaluation& evaluation, const Metric& metric) {
  const Counts& counts = evaluation.counts;
  Json json = {
      {"length", evaluation.length},
      {"multiple", finite_or_null(evaluation.multiple)},
      {"split", evaluation.split},
      {"quantities", to_json(evaluation.quantities)},
      {"given_up", evaluation.given_up},
      {"samples", counts.samples},
      {"exact", counts.exact},
      {"exact_match", finite_or_null(share(counts.exact, counts.samples))},
      {"exact_match_ci95", to_json(wilson(counts.exact, counts.samples))},
      {"answer_tokens", counts.answer_tokens},
      {"right_tokens", counts.right_tokens},
      {"token_accuracy", finite_or_null(share(counts.right_tokens, counts.answer_tokens))},
      {"log_likelihood", finite_or_null(counts.log_likelihood)},
  };
  if (counts.last.tokens > 0) {
    json["last"] = {{"tokens", counts.last.tokens},
                    {"log_likelihood", finite_or_null(counts.last.log_likelihood)}};
    json["positions"] = to_json(counts.positions);
  }
  if (!counts.depth.empty()) json["depth"] = to_json(counts.depth);
  json["shortcuts"] = to_json(evaluation.shortcuts, counts, metric);
  json["outcomes"] = to_json(evaluation.outcomes, metric);
  if (evaluation.errors) json["errors"] = attnspan::to_json(*evaluation.errors);
  if (evaluation.diagnosis) json["diagnosis"] = attnspan::to_json(*evaluation.diagnosis);
  json["seconds"] = finite_or_null(evaluation.seconds);
  return json;
}

Json to_json(const std::vector<Evaluation>& evaluations, const Metric& metric) {
  Json list = Json::array();
  for (const Evaluation& evaluation : evaluations) list.push_back(to_json(evaluation, metric));
  return list;
}

Json to_json(const std::vector<CurvePoint>& curve, const Metric& metric) {
  Json list = Json::array();
  for (const CurvePoint& point : curve) {
    list.push_back({{"step", point.step},
                    {"loss", finite_or_null(point.loss)},
                    {"learning_rate", finite_or_null(point.learning_rate)},
                    {"gradient_norm", finite_or_null(point.gradient_norm)},
                    {"exact_match", finite_or_null(point.exact_match)}});
    if (metric.is_likelihood) list.back()[metric.name] = finite_or_null(point.value);
  }
  return list;
}

/// What was derived on writing must still follow from the counts. The last of six decimals may
/// differ from one compiler to the next.
void check_derived(const Fields& fields, std::string_view name, const Json& found,
                   const Json& derived) {
  const auto agree = [](const Json& a, const Json& b) {
    return a.is_number() && b.is_number() ? std::abs(a.get<double>() - b.get<double>()) <= 2e-6
                                          : a == b;
  };
  bool fine = agree(found, derived);
  if (found.is_array() && derived.is_array())
    fine = found.size() == 2 && agree(found[0], derived[0]) && agree(found[1], derived[1]);
  if (!fine) fields.fail(name, "must be " + to_line(derived) + ", as the counts say");
}

/// Version 1 lists the tenths that have samples.
std::vector<DepthCount> read_depth_1(const Json& list, const std::string& path,
                                     const Counts& counts) {
  std::vector<DepthCount> depth(10);
  std::int64_t next = 0, place = 0, samples = 0, exact = 0;
  for (const Json& item : list) {
    Fields fields(item, path + "[" + std::to_string(place++) + "]");
    const std::int64_t decile = fields.integer("decile", next, 9);
    DepthCount& count = depth[static_cast<std::size_t>(decile)];
    count.samples = fields.integer("samples", 0, counts.samples - samples);
    count.exact = fields.integer("exact", 0, std::min(count.samples, counts.exact - exact));
    check_derived(fields, "exact_match", fields.any("exact_match"),
                  finite_or_null(share(count.exact, count.samples)));
    fields.finish();
    next = decile + 1;
    samples += count.samples;
    exact += count.exact;
  }
  return depth;
}

/// A list of whole numbers, as long as asked for, that add up to no more than `total`.
std::vector<std::int64_t> read_integers(Fields& fields, std::string_view name, std::size_t size,
                                        std::int64_t total) {
  const Json& list = fields.array(name);
  if (list.size() != size)
    fields.fail(
        name, "must have " + std::to_string(size) + " entries, not " + std::to_string(list.size()));
  std::vector<std::int64_t> numbers;
  for (const Json& item : list) {
    const std::int64_t number = item.is_number_integer() ? item.get<std::int64_t>() : -1;
    if (number < 0 || number > total)
      fields.fail(name, "must have whole numbers that add up to what was counted");
    total -= number;
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<DepthCount> read_depth(Fields fields, const Counts& counts) {
  const auto samples = read_integers(fields, "samples", 10, counts.samples);
  const auto exact = read_integers(fields, "exact", 10, counts.exact);
  fields.finish();
  std::vector<DepthCount> depth;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (exact[i] > samples[i]) fields.fail("exact", "has more exact samples than samples");
    depth.push_back({samples[i], exact[i]});
  }
  return depth;
}

std::vector<ShortcutScore> read_shortcuts(const Json& json, const std::string& path,
                                          const Counts& counts, const Metric& metric) {
  Fields fields(json, path);
  std::vector<ShortcutScore> shortcuts;
  for (const auto& item : json.items()) {
    ShortcutScore shortcut{shown_text(item.key(), "a key of " + path)};
    shortcut.value = metric.is_likelihood
                         ? fields.number(item.key(), 0, largest_number)
                         : static_cast<double>(fields.integer(item.key(), 0, counts.samples)) /
                               static_cast<double>(std::max<std::int64_t>(1, counts.samples));
    shortcuts.push_back(std::move(shortcut));
  }
  return shortcuts;
}

/// The sums of positions are of all answers; the last of these are some of them.
void read_positions(Fields& fields, Counts& counts) {
  constexpr double lowest = std::numeric_limits<double>::lowest();
  Fields last = fields.object("last");
  counts.last.tokens = last.integer("tokens", 1, counts.answer_tokens);
  counts.last.log_likelihood = last.number_or_null("log_likelihood", lowest, 0);
  last.finish();
  Fields positions = fields.object("positions");
  const Json& sums = positions.array("log_likelihood");
  const auto tokens = read_integers(positions, "tokens", sums.size(), counts.answer_tokens);
  if (std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0}) != counts.answer_tokens)
    positions.fail("tokens", "must add up to " + std::to_string(counts.answer_tokens));
  for (std::size_t k = 0; k < sums.size(); ++k) {
    if (!sums[k].is_null() && !(sums[k].is_number() && sums[k].get<double>() <= 0))
      positions.fail("log_likelihood", "must have numbers that are 0 at most");
    counts.positions.push_back(
        {tokens[k], sums[k].is_null() ? std::nan("") : sums[k].get<double>()});
  }
  positions.finish();
}

std::vector<Quantity> read_quantities(const Json& json, const std::string& path) {
  Fields fields(json, path);
  std::vector<Quantity> quantities;
  for (const auto& item : json.items())
    quantities.push_back({shown_text(item.key(), "a key of " + path), fields.integer(item.key())});
  return quantities;
}

std::vector<Outcome> read_outcomes(const Json& json, const std::string& path, const Counts& counts,
                                   const Metric& metric) {
  if (json.is_null()) return {};
  Fields fields(json, path);
  const std::string exact = fields.text("exact");
  if (exact.find_first_not_of("01") != std::string::npos ||
      static_cast<std::int64_t>(exact.size()) != counts.samples ||
      std::count(exact.begin(), exact.end(), '1') != counts.exact)
    fields.fail("exact", "must have a 1 for each exact sample and a 0 for each other one");
  std::vector<Outcome> outcomes(exact.size());
  const auto right_tokens =
      read_integers(fields, "right_tokens", outcomes.size(), counts.right_tokens);
  if (std::accumulate(right_tokens.begin(), right_tokens.end(), std::int64_t{0}) !=
      counts.right_tokens)
    fields.fail("right_tokens", "must add up to " + std::to_string(counts.right_tokens));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const bool right = exact[i] == '1';
    outcomes[i] = {right, right_tokens[i], right ? 1.0 : 0.0};
  }
  if (&metric != &exact_match()) {
    const Json& values = fields.array(metric.name);
    if (values.size() != outcomes.size())
      fields.fail(metric.name, "must have a value for each sample");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (!values[i].is_number() || !(std::abs(values[i].get<double>()) <= largest_number))
        fields.fail(metric.name, "must have a number for each sample");
      outcomes[i].value = values[i].get<double>();
    }
  }
  fields.finish();
  return outcomes;
}

Evaluation read_evaluation(const Json& json, const std::string& path, const Metric& metric,
                           int version) {
  Fields fields(json, path);
  Evaluation evaluation;
  evaluation.length = fields.integer("length");
  evaluation.multiple = fields.number("multiple", 0, largest_number);
  evaluation.split = fields.name("split");
  if (evaluation.split != "validation" && evaluation.split != "test")
    unknown_name("value of " + fields.path("split"), evaluation.split, {"validation", "test"});
  Counts& counts = evaluation.counts;
  counts.samples = fields.integer("samples", 0, largest_evaluated);
  counts.exact = fields.integer("exact", 0, counts.samples);
  counts.answer_tokens = fields.integer("answer_tokens", 0, largest_evaluated);
  counts.right_tokens = fields.integer("right_tokens", 0, counts.answer_tokens);
  const bool has_depth = fields.has("depth");
  if (version == 1) {
    counts.log_likelihood = std::nan("");
    if (has_depth) counts.depth = read_depth_1(fields.array("depth"), fields.path("depth"), counts);
  } else {
    counts.log_likelihood =
        fields.number_or_null("log_likelihood", std::numeric_limits<double>::lowest(), 0);
    if (has_depth) counts.depth = read_depth(fields.object("depth"), counts);
    if (metric.is_likelihood && fields.has("last")) read_positions(fields, counts);
    evaluation.quantities = read_quantities(fields.any("quantities"), fields.path("quantities"));
    evaluation.given_up = fields.boolean("given_up");
    evaluation.shortcuts =
        read_shortcuts(fields.any("shortcuts"), fields.path("shortcuts"), counts, metric);
    evaluation.outcomes =
        read_outcomes(fields.any("outcomes"), fields.path("outcomes"), counts, metric);
    if (fields.has("errors")) {
      evaluation.errors = read_errors(fields.object("errors"));
      if (evaluation.errors->answers != counts.answer_tokens ||
          evaluation.errors->wrong != counts.answer_tokens - counts.right_tokens)
        fields.fail("errors", "must be of all answers, as the counts say");
    }
    if (fields.has("diagnosis"))
      evaluation.diagnosis = read_attention_figures(fields.object("diagnosis"));
    if (evaluation.given_up && counts.samples > 0)
      fields.fail("samples", "must be 0, since the evaluation was given up");
  }
  evaluation.seconds = fields.number_or_null("seconds", 0, largest_number);
  const Json written = to_json(evaluation, metric);
  for (const char* name : {"exact_match", "exact_match_ci95", "token_accuracy"})
    check_derived(fields, name, fields.any(name), written[name]);
  fields.finish();
  return evaluation;
}

std::vector<CurvePoint> read_curve(const Json& list, const std::string& path,
                                   const Metric& metric) {
  std::vector<CurvePoint> curve;
  for (const Json& item : list) {
    Fields fields(item, path + "[" + std::to_string(curve.size()) + "]");
    CurvePoint point;
    point.step = fields.integer("step", curve.empty() ? 1 : curve.back().step + 1);
    point.loss = fields.number("loss", -largest_number, largest_number);
    point.learning_rate = fields.number("learning_rate", 0, largest_number);
    point.gradient_norm = fields.number("gradient_norm", 0, largest_number);
    point.exact_match = fields.number("exact_match", 0, 1);
    if (metric.is_likelihood && fields.has(metric.name))
      point.value = fields.number(metric.name, 0, largest_number);
    fields.finish();
    curve.push_back(point);
  }
  return curve;
}

std::vector<Evaluation> read_evaluations(const Json& list, const std::string& path,
                                         const Metric& metric, int version) {
  std::vector<Evaluation> evaluations;
  std::set<std::pair<std::string, double>> seen;
  for (const Json& item : list) {
    const std::string item_path = path + "[" + std::to_string(evaluations.size()) + "]";
    evaluations.push_back(read_evaluation(item, item_path, metric, version));
    const Evaluation& evaluation = evaluations.back();
    if (!seen.emplace(evaluation.split, evaluation.multiple).second)
      throw InputError(item_path + " repeats the multiple " + shortest(evaluation.multiple) +
                       " of the split " + evaluation.split);
  }
  return evaluations;
}

std::vector<Snapshot> read_during(const Json& list, const std::string& path, const Metric& metric,
                                  int version) {
  std::vector<Snapshot> during;
  for (const Json& item : list) {
    Fields fields(item, path + "[" + std::to_string(during.size()) + "]");
    Snapshot snapshot;
    snapshot.step = fields.integer("step", during.empty() ? 1 : during.back().step + 1);
    snapshot.evaluations =
        read_evaluations(fields.array("evaluations"), fields.path("evaluations"), metric, version);
    fields.finish();
    during.push_back(std::move(snapshot));
  }
  return during;
}

TrainSummary read_train(Fields fields, const Metric& metric) {
  TrainSummary train;
  train.steps = fields.integer("steps");
  train.tokens = fields.integer("tokens");
  train.loss = fields.number_or_null("loss", -largest_number, largest_number);
  if (fields.has("curve"))
    train.curve = read_curve(fields.array("curve"), fields.path("curve"), metric);
  train.seconds = fields.number_or_null("seconds", 0, largest_number);
  train.tokens_per_second = fields.number_or_null("tokens_per_second", 0, largest_number);
  fields.finish();
  return train;
}

Status read_status(Fields& fields) {
  const std::string text = fields.name("status");
  std::vector<std::string> allowed;
  for (const auto& [status, name] : statuses) {
    if (text == name) return status;
    allowed.emplace_back(name);
  }
  unknown_name("value of " + fields.path("status"), text, allowed);
}

}  // namespace

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const Interval& interval) {
  const auto rounded = [](double value) { return std::round(value * 1e6) / 1e6; };
  return {rounded(interval.low), rounded(interval.high)};
}

std::string to_string(Status status) {
  for (const auto& [value, name] : statuses)
    if (value == status) return name;
  throw std::logic_error("a status without a name");
}

Json to_json(const std::vector<PositionSum>& positions) {
  Json tokens = Json::array(), sums = Json::array();
  for (const PositionSum& sum : positions) {
    tokens.push_back(sum.tokens);
    sums.push_back(finite_or_null(sum.log_likelihood));
  }
  return {{"tokens", tokens}, {"log_likelihood", sums}};
}

Json to_json(const std::vector<Quantity>& quantities) {
  Json json = Json::object();
  for (const Quantity& quantity : quantities) json[quantity.name] = quantity.value;
  return json;
}

Json to_json(const std::vector<DepthCount>& depth) {
  Json samples = Json::array();
  Json exact = Json::array();
  for (const DepthCount& count : depth) {
    samples.push_back(count.samples);
    exact.push_back(count.exact);
  }
  return {{"samples", samples}, {"exact", exact}};
}

void check_settings(const Json& json, const std::string& path) {
  if (json.is_string()) shown_text(json.get<std::string>(), path);
  if (!json.is_structured()) return;
  for (const auto& item : json.items()) {
    if (json.is_object()) shown_text(item.key(), "a key of " + path);
    check_settings(item.value(), path);
  }
}

Json to_json(const CellRow& row) {
  Json json = {
      {"key", row.key},
      {"task", row.task},
      {"attention", row.attention},
      {"position", row.position},
      {"train_length", row.train_length},
      {"learning_rate", finite_or_null(row.learning_rate)},
      {"seed", row.seed},
      {"settings", row.settings},
      {"numerics", row.numerics},
      {"status", to_string(row.status)},
      {"message", row.message},
      {"parameters", row.parameters},
      {"metric", row.metric->name},
      {"chance", finite_or_null(row.chance)},
      {"token_chance", finite_or_null(row.token_chance)},
      {"train",
       {{"steps", row.train.steps},
        {"tokens", row.train.tokens},
        {"loss", finite_or_null(row.train.loss)},
        {"seconds", finite_or_null(row.train.seconds)},
        {"tokens_per_second", finite_or_null(row.train.tokens_per_second)}}},
      {"evaluations", to_json(row.evaluations, *row.metric)},
  };
  if (!row.train.curve.empty()) json["train"]["curve"] = to_json(row.train.curve, *row.metric);
  for (const Snapshot& snapshot : row.during)
    json["during"].push_back(
        {{"step", snapshot.step}, {"evaluations", to_json(snapshot.evaluations, *row.metric)}});
  return json;
}

CellRow row_from_json(const Json& json, const std::string& path, int version) {
  Fields fields(json, path);
  CellRow row;
  row.key = fields.name("key");
  row.task = fields.name("task");
  row.attention = fields.name("attention");
  row.position = fields.name("position");
  row.train_length = fields.integer("train_length", 1);
  row.learning_rate = fields.number("learning_rate", 0, largest_number);
  row.seed = static_cast<int>(fields.integer("seed", 0, std::numeric_limits<int>::max()));
  if (version > 1) {
    row.settings = fields.any("settings");
    if (!row.settings.is_object()) fields.fail("settings", "must be an object");
    check_settings(row.settings, fields.path("settings"));
    row.numerics = fields.integer("numerics");
    row.metric = &find_metric(fields.name("metric"), "value of " + fields.path("metric"));
  }
  row.status = read_status(fields);
  row.message = fields.text("message");
  row.parameters = fields.integer("parameters");
  row.chance = fields.number("chance", 0, 1);
  row.token_chance = fields.number("token_chance", 0, 1);
  row.train = read_train(fields.object("train"), *row.metric);

  const bool done = row.status == Status::done;
  if (done != row.message.empty())
    fields.fail("message", done ? "must be empty, since the cell is done"
                                : "must say why the cell is not done");
  row.evaluations = read_evaluations(fields.array("evaluations"), fields.path("evaluations"),
                                     *row.metric, version);
  if (fields.has("during"))
    row.during = read_during(fields.array("during"), fields.path("during"), *row.metric, version);
  for (const auto& [name, is_empty] :
       {std::pair{"evaluations", row.evaluations.empty()}, std::pair{"during", row.during.empty()}})
    if (!done && !is_empty) fields.fail(name, "must be empty, since the cell is not done");
  fields.finish();
  return row;
}

}  // namespace attnspan
