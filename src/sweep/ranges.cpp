#include "sweep/ranges.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

constexpr double most_values = 1000;

/// Takes a number from the front of `text`; false when there is none.
bool take_number(std::string_view& text, double& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// Without the last digits, where repeated multiplication leaves its rounding errors: 1e-4 * 10^2
/// is meant to be 0.01.
double tidy(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.12g", value);
  std::from_chars(digits, digits + sizeof digits, value);
  return value;
}

void append_range(double first, double last, bool geometric, double step, std::string_view text,
                  std::string_view what, std::vector<double>& values) {
  const auto refuse = [&](const std::string& why) {
    throw InputError("the range '" + std::string(text) + "' for " + std::string(what) + " " + why +
                     ".");
  };
  if (last < first) refuse("runs downwards; write the smaller end first");
  if (geometric && (first <= 0 || step <= 1))
    refuse("needs a first value above 0 and a factor above 1");
  if (!geometric && step <= 0) refuse("needs a step above 0");
  // A shade more, so that an end that is met up to rounding is included.
  const double count =
      std::floor((geometric ? std::log(last / first) / std::log(step) : (last - first) / step) +
                 1e-9) +
      1;
  if (!(count <= most_values)) refuse("has more than 1000 values");
  // The shade must not lead beyond the end: above the largest double there is only infinity.
  for (double i = 0; i < count; ++i)
    values.push_back(
        std::min(tidy(geometric ? first * std::pow(step, i) : first + i * step), last));
}

}  // namespace

std::vector<double> parse_numbers(std::string_view text, std::string_view what) {
  std::vector<double> values;
  for (const std::string& part : split(text, ',')) {
    std::string_view rest = part;
    const std::string shown = part.substr(0, 80);
    const std::size_t before = values.size();
    double first = 0, last = 0, step = 0;
    if (take_number(rest, first)) {
      if (rest.empty()) {
        values.push_back(first);
      } else if (take(rest, '-') && take_number(rest, last)) {
        if (rest.empty())
          throw InputError("the range '" + shown + "' for " + std::string(what) +
                           " needs a factor or a step, as in " + shown + "*2 or " + shown + "+1.");
        const bool geometric = rest.front() == '*';
        if ((take(rest, '*') || take(rest, '+')) && take_number(rest, step) && rest.empty())
          append_range(first, last, geometric, step, shown, what, values);
      }
    }
    if (values.size() == before)
      throw InputError(std::string(what) +
                       " takes numbers (1,4,16) or ranges (16-1024*4, 1-5+1), not '" + shown +
                       "'.");
    if (static_cast<double>(values.size()) > most_values)
      throw InputError(std::string(what) + " has more than 1000 values.");
  }
  return values;
}

double parse_duration(std::string_view text, std::string_view what) {
  double seconds = 0, unit_before = std::numeric_limits<double>::infinity();
  for (std::string_view rest = text; !rest.empty();) {
    double number = 0;
    const bool is_number = take_number(rest, number) && number >= 0;
    const double unit = rest.empty()      ? 1
                        : take(rest, 's') ? 1
                        : take(rest, 'm') ? 60
                        : take(rest, 'h') ? 3600
                        : take(rest, 'd') ? 86400
                                          : 0;
    if (!is_number || unit <= 0 || unit >= unit_before) {
      seconds = 0;
      break;
    }
    seconds += number * unit;
    unit_before = unit;
  }
  if (!(seconds > 0 && seconds < 1e9))
    throw InputError(std::string(what) + " must be a time (45s, 90m, 1h30m), not '" +
                     std::string(text.substr(0, 80)) + "'.");
  return seconds;
}

}  // namespace attnspan
