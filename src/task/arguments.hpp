#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace attnspan {

/// One parameter of a task: a number within bounds, or one of a few words.
struct ParameterSpec {
  std::string name;
  std::string help;           ///< one line, with the unit
  std::string default_value;  ///< as text, as a person would write it
  enum class Kind { integer, number, choice } kind = Kind::integer;
  double minimum = 0;                ///< integer and number: inclusive
  double maximum = 0;                ///< integer and number: inclusive
  std::vector<std::string> choices;  ///< choice (or words allowed instead of a number)
};

/// Checked values, one for every ParameterSpec.
class Arguments {
 public:
  /// Parses "a=1,b=2" against the specs; missing ones take their defaults. Throws InputError on an
  /// unknown name, a value out of bounds or a repeated name. `owner` is named in messages.
  Arguments(std::string_view owner, std::string_view text, const std::vector<ParameterSpec>& specs);

  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;

  /// "a=1,b=2" in the order of the specs: every parameter, or only those that differ from their
  /// defaults.
  std::string resolved() const;
  std::string differing() const;

 private:
  struct Value {
    std::string text;
    bool is_default;
  };
  std::vector<std::string> order_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace attnspan
