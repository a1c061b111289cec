#include "record/fields.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

constexpr std::size_t longest_name = 1000;

std::string bounds(const std::string& minimum, const std::string& maximum) {
  return "must be a number from " + minimum + " to " + maximum;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string shown_text(std::string text, const std::string& path) {
  if (text.empty()) throw InputError(path + " is empty");
  if (text.size() > longest_name)
    throw InputError(path + " is longer than " + std::to_string(longest_name) + " bytes");
  if (std::any_of(text.begin(), text.end(), is_control))
    throw InputError(path + " holds control characters");
  return text;
}

Fields::Fields(const Json& json, std::string path) : json_(&json), path_(std::move(path)) {
  if (!json.is_object()) throw InputError(path_ + " must be an object, not " + json.type_name());
}

bool Fields::has(std::string_view name) const { return json_->contains(name); }

const Json& Fields::any(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.emplace_back(name);
  const auto found = json_->find(name);
  if (found == json_->end()) fail(name, "is missing");
  return *found;
}

std::int64_t Fields::integer(std::string_view name, std::int64_t minimum, std::int64_t maximum) {
  const Json& value = any(name);
  // An unsigned value that wraps is negative, and so out of bounds.
  const std::int64_t number = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (number < minimum || number > maximum)
    fail(name, "must be a whole number from " + std::to_string(minimum) + " to " +
                   std::to_string(maximum));
  return number;
}

double Fields::number(std::string_view name, double minimum, double maximum) {
  const Json& value = any(name);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= minimum && number <= maximum))
    fail(name, bounds(shortest(minimum), shortest(maximum)));
  return number;
}

double Fields::number_or_null(std::string_view name, double minimum, double maximum) {
  if (any(name).is_null()) return std::nan("");
  return number(name, minimum, maximum);
}

bool Fields::boolean(std::string_view name) {
  const Json& value = any(name);
  if (!value.is_boolean())
    fail(name, std::string("must be true or false, not ") + value.type_name());
  return value.get<bool>();
}

std::string Fields::text(std::string_view name) {
  const Json& value = any(name);
  if (!value.is_string()) fail(name, std::string("must be a text, not ") + value.type_name());
  return value.get<std::string>();
}

std::string Fields::name(std::string_view name) { return shown_text(text(name), path(name)); }

const Json& Fields::array(std::string_view name) {
  const Json& value = any(name);
  if (!value.is_array()) fail(name, std::string("must be a list, not ") + value.type_name());
  return value;
}

Fields Fields::object(std::string_view name) { return Fields(any(name), path(name)); }

void Fields::finish() const {
  for (const auto& item : json_->items())
    if (std::find(known_.begin(), known_.end(), item.key()) == known_.end())
      unknown_name("field of " + path_, item.key(), known_);
}

std::string Fields::path(std::string_view name) const { return path_ + "." + std::string(name); }

void Fields::fail(std::string_view name, std::string_view reason) const {
  throw InputError(path(name) + " " + std::string(reason));
}

}  // namespace attnspan
