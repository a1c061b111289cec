#include "task/arguments.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 80)) + "'"; }

void check_bounds(const std::string& what, const ParameterSpec& spec, double value,
                  const std::string& shown) {
  if (value < spec.minimum || value > spec.maximum)
    throw InputError(what + " must be between " + shortest(spec.minimum) + " and " +
                     shortest(spec.maximum) + ", not " + shown + ".");
}

/// `text` in the one spelling that labels and journals use, so that 0.80 and 0.8 are one sweep
/// cell.
std::string canonical(std::string_view owner, const ParameterSpec& spec, std::string_view text) {
  std::string what = std::string(owner) + ": " + spec.name;
  if (text.empty()) throw InputError(what + " has no value; write " + spec.name + "=VALUE.");
  if (std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end())
    return std::string(text);
  if (spec.kind == ParameterSpec::Kind::choice)
    unknown_name(std::string(owner) + " " + spec.name, text, spec.choices);
  if (!spec.choices.empty()) what += ", unless " + join(spec.choices, " or ") + ",";
  if (spec.kind == ParameterSpec::Kind::integer) {
    const long long value = parse_integer(text, what);
    const std::string shown = std::to_string(value);
    check_bounds(what, spec, static_cast<double>(value), shown);
    return shown;
  }
  const double value = parse_number(text, what) + 0.0;  // -0 becomes 0
  const std::string shown = shortest(value);
  check_bounds(what, spec, value, shown);
  return shown;
}

}  // namespace

Arguments::Arguments(std::string_view owner, std::string_view text,
                     const std::vector<ParameterSpec>& specs) {
  for (const ParameterSpec& spec : specs) {
    order_.push_back(spec.name);
    values_[spec.name] = {canonical(owner, spec, spec.default_value), true};
  }
  if (text.empty()) return;
  std::vector<std::string> seen;
  for (const std::string& part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos)
      throw InputError(std::string(owner) + ": parameters are written name=value, not " +
                       quoted(part) + ".");
    const std::string name = part.substr(0, equals);
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParameterSpec& each) { return each.name == name; });
    if (spec == specs.end()) unknown_name(std::string(owner) + " parameter", name, order_);
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw InputError(std::string(owner) + ": parameter " + name + " is given twice.");
    seen.push_back(name);
    Value& value = values_[name];
    const std::string given = canonical(owner, *spec, part.substr(equals + 1));
    value = {given, given == value.text};
  }
}

std::int64_t Arguments::integer(std::string_view name) const {
  return parse_integer(text(name), name);
}

double Arguments::number(std::string_view name) const { return parse_number(text(name), name); }

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

}  // namespace attnspan
