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

/// What the literature calls variants: normalizers as they are, and the aliases.
inline std::vector<std::string> every_alias() {
  std::vector<std::string> names;
  for (const attnspan::NormalizerEntry& normalizer : attnspan::normalizer_catalog())
    names.push_back(normalizer.name);
  for (const attnspan::Alias& alias : attnspan::attention_aliases()) names.push_back(alias.name);
  return names;
}

/// A part of its catalog, with arguments: "entmax:1.3".
inline attnspan::Choice<attnspan::NormalizerEntry> normalizer_of(const std::string& text) {
  return attnspan::choose("normalizer", attnspan::normalizer_catalog(), text);
}
inline attnspan::Choice<attnspan::ScalerEntry> scaler_of(const std::string& text) {
  return attnspan::choose("scaler", attnspan::scaler_catalog(), text);
}

/// A normalizer of the catalog with arguments it takes.
struct NamedNormalizer {
  std::string name;

  template <class Real>
  std::unique_ptr<attnspan::Normalizer<Real>> make() const {
    return normalizer_of(name).make<Real>();
  }
};

/// Every normalizer of the catalog, as it is and with those of 1.2, 1.5, 2 and 3 that its first
/// number takes (of alpha: a general one, the two with closed forms, and one above 2).
inline std::vector<NamedNormalizer> every_normalizer() {
  std::vector<NamedNormalizer> found;
  for (const attnspan::NormalizerEntry& entry : attnspan::normalizer_catalog()) {
    const std::string usual = normalizer_of(entry.name).brief();
    found.push_back({usual});
    if (entry.parameters.empty() ||
        entry.parameters[0].kind != attnspan::ParameterSpec::Kind::number)
      continue;
    for (const double value : {1.2, 1.5, 2.0, 3.0}) {
      const std::string name = entry.name + ":" + attnspan::shortest(value);
      if (name != usual && value >= entry.parameters[0].minimum &&
          value <= entry.parameters[0].maximum)
        found.push_back({name});
    }
  }
  return found;
}
