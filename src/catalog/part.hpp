#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "catalog/arguments.hpp"
#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {

/// A name of the literature for a part with arguments, or for a pair of parts.
struct Alias {
  std::string name = {};
  std::string text = {};     ///< what it stands for, written out
  std::string summary = {};  ///< one line
};

/// What a catalog says of a task, normalizer, scaler or encoding. Each file declares its own, and
/// the names that the literature has for it.
struct Part {
  std::string name = {};
  std::string summary = {};  ///< one line
  std::string formula = {};  ///< of normalizers, scalers and encodings
  std::string source = {};   ///< the paper, as a short citation; empty where there is none
  std::vector<ParameterSpec> parameters = {};
  std::vector<Alias> aliases = {};
};

/// A part of a catalog with the arguments that a person gave it.
template <class Entry>
struct Choice {
  const Entry* entry;
  Arguments arguments;

  /// Name and the parameters that differ from their defaults, or every parameter: one text for all
  /// spellings.
  std::string label() const { return with(arguments.differing()); }
  std::string resolved() const { return with(arguments.resolved()); }

  /// The part itself, for entries that are NumericParts.
  template <class Real, class... Shape>
  auto make(const Shape&... shape) const {
    return entry->template make<Real>(arguments, shape...);
  }

  /// Name and Arguments::brief().
  std::string brief() const { return with(arguments.brief()); }

 private:
  std::string with(const std::string& text) const {
    return text.empty() ? entry->name : entry->name + ":" + text;
  }
};

/// Reads "name" or "name:arguments". Throws InputError: unknown names get the nearest one of the
/// catalog and of `more_names`; `kind` is named in messages.
template <class Entry>
Choice<Entry> choose(std::string_view kind, std::span<const Entry> catalog, std::string_view text,
                     const std::vector<std::string>& more_names = {}) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::vector<std::string> allowed;
  for (const Entry& entry : catalog) {
    allowed.push_back(entry.name);
    if (entry.name != name) continue;
    if (colon + 1 == text.size())
      throw InputError(entry.name + ": parameters must follow the ':', as name=value.");
    const bool has_arguments = colon != std::string_view::npos;
    return {&entry,
            Arguments(entry.name, has_arguments ? text.substr(colon + 1) : "", entry.parameters)};
  }
  allowed.insert(allowed.end(), more_names.begin(), more_names.end());
  unknown_name(kind, name, allowed);
}

/// Builds a part from its arguments and what else it is built for. Its constructor takes both, the
/// arguments alone, or nothing.
template <class Implementation, class... Shape>
std::unique_ptr<Implementation> build(const Arguments& arguments, const Shape&... shape) {
  if constexpr (std::is_constructible_v<Implementation, const Arguments&, const Shape&...>)
    return std::make_unique<Implementation>(arguments, shape...);
  else if constexpr (std::is_constructible_v<Implementation, const Arguments&>)
    return std::make_unique<Implementation>(arguments);
  else
    return std::make_unique<Implementation>();
}

/// Catalog line of a part that computes, in float and in double.
template <template <class> class Contract, class... Shape>
struct NumericPart : Part {
  template <class Real>
  using Make =
      std::function<std::unique_ptr<Contract<Real>>(const Arguments& arguments, const Shape&...)>;
  Make<float> make_float;
  Make<double> make_double;

  template <class Real>
  std::unique_ptr<Contract<Real>> make(const Arguments& arguments, const Shape&... shape) const {
    if constexpr (std::is_same_v<Real, float>)
      return make_float(arguments, shape...);
    else
      return make_double(arguments, shape...);
  }

  /// The line of a class template: its constructor, if it has one, takes arguments and shape.
  template <template <class> class Implementation>
  static NumericPart of(Part part) {
    return {std::move(part), build<Implementation<float>, Shape...>,
            build<Implementation<double>, Shape...>};
  }
};

}  // namespace attnspan
