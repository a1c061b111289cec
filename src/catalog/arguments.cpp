#include "catalog/arguments.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 80)) + "'"; }

/// The shortest text without a '+', which joins normalizer and scaler: 500000 and 1e20, not 5e+05.
std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return std::to_string(static_cast<long long>(value));
  std::string text = shortest(value);
  text.erase(std::remove(text.begin(), text.end(), '+'), text.end());
  return text;
}

void check_bounds(const std::string& what, const ParameterSpec& spec, double value,
                  const std::string& shown) {
  if (value < spec.minimum || value > spec.maximum)
    throw InputError(what + " must be between " + number_text(spec.minimum) + " and " +
                     number_text(spec.maximum) + ", not " + shown + ".");
}

/// `text`, one number, in the one spelling that labels and journals use, so that 0.80 and 0.8 are
/// one sweep cell.
std::string canonical_number(const std::string& what, const ParameterSpec& spec,
                             std::string_view text) {
  if (spec.kind == ParameterSpec::Kind::integer) {
    const long long value = parse_integer(text, what);
    const std::string shown = std::to_string(value);
    check_bounds(what, spec, static_cast<double>(value), shown);
    return shown;
  }
  const double value = parse_number(text, what) + 0.0;  // -0 becomes 0
  const std::string shown = number_text(value);
  check_bounds(what, spec, value, shown);
  return shown;
}

/// The same for any value.
std::string canonical(std::string_view owner, const ParameterSpec& spec, std::string_view text) {
  std::string what = std::string(owner) + ": " + spec.name;
  if (text.empty()) throw InputError(what + " has no value; write " + spec.name + "=VALUE.");
  if (std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end())
    return std::string(text);
  if (spec.kind == ParameterSpec::Kind::path) return std::string(text);
  if (spec.kind == ParameterSpec::Kind::choice)
    unknown_name(std::string(owner) + " " + spec.name, text, spec.choices);
  if (!spec.choices.empty()) what += ", unless " + join(spec.choices, " or ") + ",";
  if (spec.kind != ParameterSpec::Kind::numbers) return canonical_number(what, spec, text);
  std::vector<std::string> numbers;
  for (const std::string& number : split(text, ':'))
    numbers.push_back(canonical_number(what, spec, number));
  return join(numbers, ":");
}

}  // namespace

Arguments::Arguments(std::string_view owner, std::string_view text,
                     const std::vector<ParameterSpec>& specs) {
  for (const ParameterSpec& spec : specs) {
    order_.push_back(spec.name);
    values_[spec.name] = {canonical(owner, spec, spec.default_value), true};
  }
  if (text.empty()) return;
  if (specs.empty())
    throw InputError(std::string(owner) + " takes no parameters, but got " + quoted(text) + ".");
  std::vector<std::string> seen;
  for (const std::string& piece : split(text, ',')) {
    const std::size_t equals = piece.find('=');
    const bool bare = equals == std::string::npos;
    if (bare && (!seen.empty() || piece.empty()))
      throw InputError(std::string(owner) + ": parameters are written name=value, not " +
                       quoted(piece) + ".");
    if (bare && std::find(order_.begin(), order_.end(), piece) != order_.end())
      canonical(owner, {.name = piece}, "");  // a name without a value
    const std::string name = bare ? specs.front().name : piece.substr(0, equals);
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParameterSpec& each) { return each.name == name; });
    if (spec == specs.end()) unknown_name(std::string(owner) + " parameter", name, order_);
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw InputError(std::string(owner) + ": parameter " + name + " is given twice.");
    seen.push_back(name);
    Value& value = values_[name];
    const std::string given = canonical(owner, *spec, bare ? piece : piece.substr(equals + 1));
    value = {given, given == value.text};
  }
}

std::int64_t Arguments::integer(std::string_view name) const {
  return parse_integer(text(name), name);
}

double Arguments::number(std::string_view name) const { return parse_number(text(name), name); }

std::vector<double> Arguments::numbers(std::string_view name) const {
  std::vector<double> numbers;
  for (const std::string& number : split(text(name), ':'))
    numbers.push_back(parse_number(number, name));
  return numbers;
}

const std::string& Arguments::text(std::string_view name) const {
  return values_.at(std::string(name)).text;
}

std::string Arguments::resolved() const {
  std::vector<std::string> parts;
  for (const std::string& name : order_) parts.push_back(name + "=" + text(name));
  return join(parts, ",");
}

std::string Arguments::differing() const {
  std::vector<std::string> parts;
  for (const std::string& name : order_)
    if (!values_.at(name).is_default) parts.push_back(name + "=" + text(name));
  return join(parts, ",");
}

std::string Arguments::brief() const {
  std::vector<std::string> parts;
  for (const std::string& name : order_)
    if (parts.empty())
      parts.push_back(text(name));
    else if (!values_.at(name).is_default)
      parts.push_back(name + "=" + text(name));
  return join(parts, ",");
}

std::string describe_values(const ParameterSpec& spec) {
  using Kind = ParameterSpec::Kind;
  const std::string words = join(spec.choices, " or ");
  if (spec.kind == Kind::choice) return words;
  if (spec.kind == Kind::path) return "a path without a comma";
  const std::string bounds =
      " from " + number_text(spec.minimum) + " to " + number_text(spec.maximum);
  return (words.empty() ? "" : words + ", or ") +
         (spec.kind == Kind::integer  ? "a whole number" + bounds
          : spec.kind == Kind::number ? "a number" + bounds
                                      : "numbers" + bounds + " with ':' between them");
}

std::vector<std::string> split_parts(std::string_view text) {
  std::vector<std::string> parts;
  for (const std::string& piece : split(text, ',')) {
    // "slopes=1:0.5" goes on, "rope:base=500000" does not.
    const std::size_t equals = piece.find('=');
    const bool continues = equals != std::string::npos && piece.find(':') > equals;
    if (continues && !parts.empty())
      parts.back() += ',' + piece;
    else
      parts.push_back(piece);
  }
  return parts;
}

}  // namespace attnspan
