#include "report/bound.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"
#include "report/layout.hpp"

namespace attnspan {

Bound parse_bound(const std::string& text) {
  Bound bound{text, "", false, 0};
  std::string number = text;
  // Arguments of a variant have the sign, too: "entmax:alpha=1.3=16x".
  if (const std::size_t at = text.rfind('='); at != std::string::npos) {
    bound.variant = text.substr(0, at);
    number = text.substr(at + 1);
  }
  const bool is_percent = number.ends_with('%');
  bound.is_span = number.ends_with('x');
  if (is_percent || bound.is_span) number.pop_back();
  bound.value = parse_number(number, "the bound in '" + text.substr(0, 80) + "' (0.9, 90% or 16x)");
  if (is_percent) bound.value /= 100;
  if (bound.value < 0) throw InputError("the bound in '" + text + "' must not be negative.");
  return bound;
}

std::vector<std::string> below(const Comparison& comparison, const Bound& bound) {
  if (comparison.rows.empty()) return {"there is no cell that " + bound.text + " could be held to"};
  std::vector<std::string> sentences, allowed;
  bool found = false;
  for (const TableRow& row : comparison.rows) {
    const std::string variant = row.attention + "/" + row.position;
    for (const std::string& name : {row.attention, variant})
      if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) allowed.push_back(name);
    if (!bound.variant.empty() && bound.variant != row.attention && bound.variant != variant)
      continue;
    found = true;
    const std::string name = variant_name(row) + " on " + row.task;
    const Metric& metric = *row.metric;
    if (row.accuracy.empty()) {
      sentences.push_back(name + " has no result");
    } else if (bound.is_span) {
      if (*row.span.point < bound.value)
        sentences.push_back("the span of " + name + " is " + span_text(row.span.point) +
                            ", below " + multiple_text(bound.value));
    } else {
      for (const Accuracy& accuracy : row.accuracy)
        if (metric.better(bound.value, accuracy.value.mean))
          sentences.push_back(name + " is at " + value_text(accuracy.value.mean, metric) + " at " +
                              multiple_text(accuracy.multiple) + ", " +
                              (metric.higher_is_better ? "below " : "above ") +
                              value_text(bound.value, metric));
    }
  }
  if (!found && !bound.variant.empty()) unknown_name("variant", bound.variant, allowed);
  return sentences;
}

}  // namespace attnspan
