#include "core/names.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <system_error>

#include "core/error.hpp"

namespace attnspan {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // One row of the Levenshtein table; diagonal carries the value up and to the left.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) text += separator;
    text += part;
  }
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string unknown_text(std::string_view kind, std::string_view name,
                         const std::vector<std::string>& allowed) {
  // Names from outside can be of any length: the table of edit_distance must stay small.
  const std::string shown(name.substr(0, 80));
  const std::string message = "unknown " + std::string(kind) + " '" + shown + "'";
  const auto nearest = std::min_element(allowed.begin(), allowed.end(), [&](auto& a, auto& b) {
    return edit_distance(shown, a) < edit_distance(shown, b);
  });
  if (nearest == allowed.end() ||
      edit_distance(shown, *nearest) > std::max<std::size_t>(2, shown.size() / 3))
    return message + ".";
  return message + "; did you mean '" + *nearest + "'?";
}

void unknown_name(std::string_view kind, std::string_view name,
                  const std::vector<std::string>& allowed) {
  constexpr std::size_t most_listed = 100;
  const std::size_t more = allowed.size() > most_listed ? allowed.size() - most_listed : 0;
  throw InputError(unknown_text(kind, name, allowed) + " Allowed: " +
                   join({allowed.begin(), allowed.end() - static_cast<std::ptrdiff_t>(more)}) +
                   (more > 0 ? ", and " + std::to_string(more) + " more" : "") + ".");
}

namespace {

template <class Number>
Number parse(std::string_view text, std::string_view what, std::string_view kind) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  bool fine = error == std::errc{} && stop == end;
  if constexpr (std::is_floating_point_v<Number>) fine = fine && std::isfinite(value);
  if (!fine)
    throw InputError(std::string(what) + " must be " + std::string(kind) + ", not '" +
                     std::string(text.substr(0, 80)) + "'.");
  return value;
}

}  // namespace

double parse_number(std::string_view text, std::string_view what) {
  return parse<double>(text, what, "a number");
}

long long parse_integer(std::string_view text, std::string_view what) {
  return parse<long long>(text, what, "a whole number");
}

std::string shortest(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc{} ? std::string(buffer, end) : std::string("?");
}

}  // namespace attnspan
