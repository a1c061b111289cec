#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/compare.hpp"

namespace attnspan {

/// What results must reach: a span, or a value at every tested multiple.
struct Bound {
  std::string text;     ///< as it was given
  std::string variant;  ///< attention, or attention/position; empty for every variant
  bool is_span = false;
  double value = 0;
};

/// Reads "0.9", "90%" (the mean over seeds, at every tested multiple), "16x" (the span of the
/// mean), each also for one variant: "asentmax=16x". Throws InputError.
Bound parse_bound(const std::string& text);

/// Where the comparison stays below the bound, a sentence each without its stop; a row without a
/// result does. Throws InputError when it has no such variant.
std::vector<std::string> below(const Comparison& comparison, const Bound& bound);

}  // namespace attnspan
