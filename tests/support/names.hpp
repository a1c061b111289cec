#pragma once

#include <string>
#include <vector>

#include "attention/variant.hpp"
#include "core/names.hpp"
#include "position/position.hpp"

/// Every normalizer of the catalog with its scalers: "entmax+adaptive", "softmax+none", ...
inline std::vector<std::string> every_pairing() {
  std::vector<std::string> names;
  for (const attnspan::NormalizerEntry& normalizer : attnspan::normalizer_catalog())
    for (const attnspan::ScalerEntry& scaler : attnspan::scaler_catalog())
      names.push_back(normalizer.name + "+" + scaler.name);
  return names;
}

inline std::vector<std::string> every_position() {
  std::vector<std::string> names;
  for (const attnspan::PositionEntry& entry : attnspan::position_catalog())
    names.push_back(entry.name);
  return names;
}

inline std::vector<std::string> every_alias() {
  std::vector<std::string> names;
  for (const attnspan::AttentionAlias& alias : attnspan::attention_aliases())
    names.push_back(alias.name);
  return names;
}

/// A normalizer of the catalog with an argument it takes.
struct NamedNormalizer {
  std::string name;
  const attnspan::NormalizerEntry* entry;
  double argument;

  template <class Real>
  std::unique_ptr<attnspan::Normalizer<Real>> make() const {
    if constexpr (std::is_same_v<Real, float>)
      return entry->make_float(argument);
    else
      return entry->make_double(argument);
  }
};

/// Every normalizer of the catalog, at its default argument and at those of 1.2, 1.5, 2 and 3 that
/// it takes (of alpha: a general one, the two with closed forms, and one above 2).
inline std::vector<NamedNormalizer> every_normalizer() {
  std::vector<NamedNormalizer> found;
  for (const attnspan::NormalizerEntry& entry : attnspan::normalizer_catalog()) {
    std::vector<double> arguments{entry.argument ? entry.argument->default_value : 0.0};
    if (entry.argument)
      for (const double value : {1.2, 1.5, 2.0, 3.0})
        if (value != arguments[0] && value >= entry.argument->minimum &&
            value <= entry.argument->maximum)
          arguments.push_back(value);
    for (const double argument : arguments)
      found.push_back({entry.name + ":" + attnspan::shortest(argument), &entry, argument});
  }
  return found;
}
