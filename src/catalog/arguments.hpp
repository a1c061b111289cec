#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace attnspan {

/// One parameter of a part: a number within bounds, several of them, one of a few words, or a path.
struct ParameterSpec {
  std::string name = {};
  std::string help = {};           ///< one line, with the unit
  std::string default_value = {};  ///< as text, as a person would write it
  enum class Kind { integer, number, numbers, choice, path } kind = Kind::integer;
  double minimum = 0;                     ///< of every number: inclusive
  double maximum = 0;                     ///< of every number: inclusive
  std::vector<std::string> choices = {};  ///< choice (or words allowed instead of numbers)
};

/// What may be given for a parameter: "a whole number from 1 to 100", "interleaved or grouped".
std::string describe_values(const ParameterSpec& spec);

/// Checked values, one for every ParameterSpec.
class Arguments {
 public:
  /// Parses "a=1,b=2" against the specs; missing ones take their defaults. The first may be a bare
  /// value, which is then the first parameter's: "1,b=2". The numbers of a list stand between
  /// colons: "b=1:0.5:0.25". Throws InputError on an unknown name, a value out of bounds or a
  /// repeated name. `owner` is named in messages.
  Arguments(std::string_view owner, std::string_view text, const std::vector<ParameterSpec>& specs);

  /// Whether there is a parameter of this name.
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }

  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::vector<double> numbers(std::string_view name) const;
  const std::string& text(std::string_view name) const;

  /// "a=1,b=2" in the order of the specs: every parameter, or only those that differ from their
  /// defaults.
  std::string resolved() const;
  std::string differing() const;

  /// "1,b=2": the first parameter as a bare value, whatever it is, then those that differ.
  std::string brief() const;

 private:
  struct Value {
    std::string text;
    bool is_default;
  };
  std::vector<std::string> order_;
  std::map<std::string, Value, std::less<>> values_;
};

/// Splits a list of parts at its commas, but not within a part: of
/// "recall:alphabet=64,queries=8,copy" the piece "queries=8" belongs to recall, because it has the
/// form name=value.
std::vector<std::string> split_parts(std::string_view text);

}  // namespace attnspan
