#include "report/row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "report/fields.hpp"

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

Json to_json(const Evaluation& evaluation) {
  Json json = {
      {"length", evaluation.length},
      {"multiple", finite_or_null(evaluation.multiple)},
      {"split", evaluation.split},
      {"samples", evaluation.samples},
      {"exact", evaluation.exact},
      {"exact_match", finite_or_null(share(evaluation.exact, evaluation.samples))},
      {"exact_match_ci95", to_json(wilson(evaluation.exact, evaluation.samples))},
      {"answer_tokens", evaluation.answer_tokens},
      {"right_tokens", evaluation.right_tokens},
      {"token_accuracy", finite_or_null(share(evaluation.right_tokens, evaluation.answer_tokens))},
  };
  if (!evaluation.depth.empty()) json["depth"] = to_json(evaluation.depth);
  json["seconds"] = finite_or_null(evaluation.seconds);
  return json;
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

std::vector<DepthDecile> read_depth(const Json& list, const std::string& path,
                                    const Evaluation& evaluation) {
  std::vector<DepthDecile> depth;
  std::int64_t samples = 0;
  std::int64_t exact = 0;
  for (const Json& item : list) {
    Fields fields(item, path + "[" + std::to_string(depth.size()) + "]");
    DepthDecile decile;
    decile.decile =
        static_cast<int>(fields.integer("decile", depth.empty() ? 0 : depth.back().decile + 1, 9));
    decile.samples = fields.integer("samples", 0, evaluation.samples - samples);
    decile.exact = fields.integer("exact", 0, std::min(decile.samples, evaluation.exact - exact));
    check_derived(fields, "exact_match", fields.any("exact_match"),
                  finite_or_null(share(decile.exact, decile.samples)));
    fields.finish();
    samples += decile.samples;
    exact += decile.exact;
    depth.push_back(decile);
  }
  return depth;
}

Evaluation read_evaluation(const Json& json, const std::string& path) {
  Fields fields(json, path);
  Evaluation evaluation;
  evaluation.length = fields.integer("length");
  evaluation.multiple = fields.number("multiple", 0, largest_number);
  evaluation.split = fields.name("split");
  if (evaluation.split != "validation" && evaluation.split != "test")
    unknown_name("value of " + fields.path("split"), evaluation.split, {"validation", "test"});
  evaluation.samples = fields.integer("samples", 0, largest_evaluated);
  evaluation.exact = fields.integer("exact", 0, evaluation.samples);
  evaluation.answer_tokens = fields.integer("answer_tokens", 0, largest_evaluated);
  evaluation.right_tokens = fields.integer("right_tokens", 0, evaluation.answer_tokens);
  if (fields.has("depth"))
    evaluation.depth = read_depth(fields.array("depth"), fields.path("depth"), evaluation);
  evaluation.seconds = fields.number_or_null("seconds", 0, largest_number);
  const Json written = to_json(evaluation);
  for (const char* name : {"exact_match", "exact_match_ci95", "token_accuracy"})
    check_derived(fields, name, fields.any(name), written[name]);
  fields.finish();
  return evaluation;
}

TrainSummary read_train(Fields fields) {
  TrainSummary train;
  train.steps = fields.integer("steps");
  train.tokens = fields.integer("tokens");
  train.loss = fields.number_or_null("loss", -largest_number, largest_number);
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

Json to_json(const std::vector<DepthDecile>& depth) {
  Json list = Json::array();
  for (const DepthDecile& decile : depth)
    list.push_back({{"decile", decile.decile},
                    {"samples", decile.samples},
                    {"exact", decile.exact},
                    {"exact_match", finite_or_null(share(decile.exact, decile.samples))}});
  return list;
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
      {"status", to_string(row.status)},
      {"message", row.message},
      {"parameters", row.parameters},
      {"chance", finite_or_null(row.chance)},
      {"token_chance", finite_or_null(row.token_chance)},
      {"train",
       {{"steps", row.train.steps},
        {"tokens", row.train.tokens},
        {"loss", finite_or_null(row.train.loss)},
        {"seconds", finite_or_null(row.train.seconds)},
        {"tokens_per_second", finite_or_null(row.train.tokens_per_second)}}},
      {"evaluations", Json::array()},
  };
  for (const Evaluation& evaluation : row.evaluations)
    json["evaluations"].push_back(to_json(evaluation));
  return json;
}

CellRow row_from_json(const Json& json, const std::string& path) {
  Fields fields(json, path);
  CellRow row;
  row.key = fields.name("key");
  row.task = fields.name("task");
  row.attention = fields.name("attention");
  row.position = fields.name("position");
  row.train_length = fields.integer("train_length", 1);
  row.learning_rate = fields.number("learning_rate", 0, largest_number);
  row.seed = static_cast<int>(fields.integer("seed", 0, std::numeric_limits<int>::max()));
  row.status = read_status(fields);
  row.message = fields.text("message");
  row.parameters = fields.integer("parameters");
  row.chance = fields.number("chance", 0, 1);
  row.token_chance = fields.number("token_chance", 0, 1);
  row.train = read_train(fields.object("train"));

  const bool done = row.status == Status::done;
  if (done != row.message.empty())
    fields.fail("message", done ? "must be empty, since the cell is done"
                                : "must say why the cell is not done");
  std::set<std::pair<std::string, double>> seen;
  const Json& evaluations = fields.array("evaluations");
  for (const Json& item : evaluations) {
    const std::string item_path =
        fields.path("evaluations") + "[" + std::to_string(row.evaluations.size()) + "]";
    row.evaluations.push_back(read_evaluation(item, item_path));
    const Evaluation& evaluation = row.evaluations.back();
    if (!seen.emplace(evaluation.split, evaluation.multiple).second)
      throw InputError(item_path + " repeats the multiple " + shortest(evaluation.multiple) +
                       " of the split " + evaluation.split);
  }
  if (!done && !evaluations.empty())
    fields.fail("evaluations", "must be empty, since the cell is not done");
  fields.finish();
  return row;
}

}  // namespace attnspan
