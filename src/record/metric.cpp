#include "record/metric.hpp"

#include <array>
#include <limits>
#include <numbers>
#include <vector>

#include "core/names.hpp"
#include "record/statistics.hpp"

namespace attnspan {
namespace {

constexpr std::array catalog{
    Metric{.name = "exact_match",
           .title = "exact match",
           .of = [](const Counts& counts) { return share(counts.exact, counts.samples); },
           .of_sample = [](const Outcome& outcome,
                           const Counts&) { return outcome.exact ? 1.0 : 0.0; },
           .span_bound = [](double) { return 0.9; }},
    Metric{.name = "bits_per_byte",
           .title = "bits per byte",
           .higher_is_better = false,
           .minimum = 0,
           .maximum = std::numeric_limits<double>::infinity(),
           .lost = 8,
           .is_share = false,
           .is_likelihood = true,
           .of =
               [](const Counts& counts) {
                 return bits(counts.last.tokens > 0
                                 ? counts.last
                                 : PositionSum{counts.answer_tokens, counts.log_likelihood});
               },
           .of_sample = [](const Outcome& outcome, const Counts&) { return outcome.value; },
           .span_bound = [](double at_first) { return 1.01 * at_first; }},
};

constexpr Metric of_tokens{
    .name = "token_accuracy",
    .title = "token accuracy",
    .is_of_tokens = true,
    .of = [](const Counts& counts) { return share(counts.right_tokens, counts.answer_tokens); },
    .of_sample =
        [](const Outcome& outcome, const Counts& counts) {
          return static_cast<double>(outcome.right_tokens) *
                 share(counts.samples, counts.answer_tokens);
        },
    .span_bound = [](double) { return 0.9; }};

}  // namespace

double bits(const PositionSum& sum) {
  return -sum.log_likelihood / (std::numbers::ln2 * static_cast<double>(sum.tokens));
}

const Metric& exact_match() { return catalog[0]; }
const Metric& token_accuracy() { return of_tokens; }

const Metric& find_common_metric(std::string_view name) {
  for (const Metric* metric : {&exact_match(), &token_accuracy()})
    if (metric->name == name) return *metric;
  unknown_name("metric", name,
               {std::string(exact_match().name), std::string(token_accuracy().name)});
}

const Metric& bits_per_byte() { return catalog[1]; }
std::span<const Metric> metrics() { return catalog; }

const Metric& find_metric(std::string_view name, std::string_view kind) {
  std::vector<std::string> names;
  for (const Metric& metric : catalog) {
    if (metric.name == name) return metric;
    names.emplace_back(metric.name);
  }
  unknown_name(kind, name, names);
}

}  // namespace attnspan
