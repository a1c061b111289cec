#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/json.hpp"

namespace attnspan {

/// The largest whole number that every JSON reader keeps exactly: 2^53.
inline constexpr std::int64_t largest_count = std::int64_t{1} << 53;

/// The text itself, if it may be shown in tables: not empty, not endless, no control characters.
/// Throws InputError that begins with `path` otherwise.
std::string shown_text(std::string text, const std::string& path);

/// Reads the fields of one JSON object strictly. Every reader throws InputError that names the
/// field by its path ("results.json: cells[3].train.loss") when it is missing, of another type or
/// out of bounds; `finish` when there is a field that nobody read.
class Fields {
 public:
  /// `path` is where the object stands; throws InputError when `json` is not an object. `json` must
  /// outlive this.
  Fields(const Json& json, std::string path);

  bool has(std::string_view name) const;

  /// Precondition: 0 <= minimum.
  std::int64_t integer(std::string_view name, std::int64_t minimum = 0,
                       std::int64_t maximum = largest_count);
  double number(std::string_view name, double minimum, double maximum);
  /// The same, where null is allowed and stands for a number that is not finite: NaN.
  double number_or_null(std::string_view name, double minimum, double maximum);
  bool boolean(std::string_view name);
  std::string text(std::string_view name);
  /// A text that is shown in tables; see shown_text.
  std::string name(std::string_view name);
  const Json& array(std::string_view name);
  Fields object(std::string_view name);
  /// The value as it is.
  const Json& any(std::string_view name);

  /// Throws InputError that names the nearest known field when one was never asked for.
  void finish() const;

  /// Path of a field, for messages; InputError about one.
  std::string path(std::string_view name) const;
  [[noreturn]] void fail(std::string_view name, std::string_view reason) const;

 private:
  const Json* json_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace attnspan
