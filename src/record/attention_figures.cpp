#include "record/attention_figures.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace attnspan {
namespace {

constexpr double largest = std::numeric_limits<double>::max();

Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

/// The figures of a head by their names.
template <class Head, class Visit>
void visit_numbers(Head& head, const Visit& visit) {
  visit("entropy", head.entropy);
  visit("support", head.support);
  visit("support_share", head.support_share);
  visit("answer_weight", head.answer_weight);
  visit("lowest_score", head.lowest_score);
  visit("highest_score", head.highest_score);
  visit("score_range", head.score_range);
  visit("mean_drift", head.mean_drift);
  visit("spread_drift", head.spread_drift);
}

}  // namespace

Json to_json(const AttentionFigures& figures) {
  Json heads = Json::array();
  for (const HeadFigures& head : figures.heads) {
    Json json = {{"layer", head.layer}, {"head", head.head}};
    visit_numbers(head,
                  [&](const char* name, const double& value) { json[name] = rounded(value); });
    for (const double value : head.scale) json["scale"].push_back(rounded(value));
    heads.push_back(std::move(json));
  }
  return {{"samples", figures.samples}, {"rows", figures.rows}, {"heads", std::move(heads)}};
}

AttentionFigures read_attention_figures(Fields fields) {
  AttentionFigures figures;
  figures.samples = fields.integer("samples");
  figures.rows = fields.integer("rows");
  const Json& list = fields.array("heads");
  for (const Json& item : list) {
    Fields numbers(item, fields.path("heads") + "[" + std::to_string(figures.heads.size()) + "]");
    HeadFigures& head = figures.heads.emplace_back();
    head.layer = numbers.integer("layer");
    head.head = numbers.integer("head");
    visit_numbers(head, [&](const char* name, double& value) {
      value = numbers.number_or_null(name, -largest, largest);
    });
    const Json& scale = numbers.array("scale");
    if (scale.size() != head.scale.size()) numbers.fail("scale", "must have five numbers");
    for (std::size_t i = 0; i < scale.size(); ++i) {
      if (!scale[i].is_number() && !scale[i].is_null())
        numbers.fail("scale", "must have five numbers");
      head.scale[i] = scale[i].is_null() ? std::nan("") : scale[i].get<double>();
    }
    numbers.finish();
  }
  fields.finish();
  return figures;
}

}  // namespace attnspan
