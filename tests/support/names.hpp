#pragma once

#include <string>
#include <vector>

#include "attention/heads.hpp"
#include "attention/variant.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "position/position.hpp"

/// What parts are built for where nothing else matters.
inline constexpr attnspan::LayerShape usual_shape{2, 4};

struct Variant {
  std::string attention, position;

  bool allowed() const {
    try {
      attnspan::make_parts<float>({4, 4}, attention, position);
      return true;
    } catch (const attnspan::InputError&) {
      return false;
    }
  }
};

/// A part with each word that it takes instead of a default: "adaptive:start=random", ...
inline std::vector<std::string> other_forms(const attnspan::Part& part) {
  std::vector<std::string> names;
  for (const attnspan::ParameterSpec& parameter : part.parameters)
    for (const std::string& word : parameter.choices)
      if (word != parameter.default_value)
        names.push_back(part.name + ":" + parameter.name + "=" + word);
  return names;
}

inline std::vector<std::string> every_scaler() {
  std::vector<std::string> names;
  for (const attnspan::ScalerEntry& entry : attnspan::scaler_catalog()) {
    names.push_back(entry.name);
    for (const std::string& form : other_forms(entry)) names.push_back(form);
  }
  return names;
}

/// Every normalizer of the catalog with the scalers that it takes: "entmax+adaptive",
/// "softmax+none", ...
inline std::vector<std::string> every_pairing() {
  std::vector<std::string> names;
  for (const attnspan::NormalizerEntry& normalizer : attnspan::normalizer_catalog())
    for (const attnspan::ScalerEntry& scaler : attnspan::scaler_catalog())
      if (Variant pair{normalizer.name + "+" + scaler.name, "nope"}; pair.allowed())
        names.push_back(pair.attention);
  return names;
}

/// Those of the normalizers whose streams leave out keys.
inline std::vector<std::string> every_skipping_pairing() {
  std::vector<std::string> names;
  for (const char* normalizer : {"softmax", "entmax", "top-k"})
    for (const attnspan::ScalerEntry& scaler : attnspan::scaler_catalog())
      names.push_back(std::string(normalizer) + "+" + scaler.name);
  return names;
}

/// FIRE with fewer hidden units: each has a kink at every key, and where a gradient is checked none
/// may lie so near that a step crosses it.
inline std::vector<std::string> every_position() {
  std::vector<std::string> names;
  for (const attnspan::PositionEntry& entry : attnspan::position_catalog())
    names.push_back(entry.name == "fire" ? "fire:width=8" : entry.name);
  return names;
}

/// A normalizer as these tests use it: the cosines of heads of a few numbers would reach no
/// threshold that is meant for wide ones.
inline std::string within_reach(const std::string& normalizer) {
  const bool high = normalizer == "threshold" || normalizer == "tda";
  return high ? normalizer + ":scale=0.3" : normalizer;
}

/// Whether it compares directions.
inline bool compares_directions(const std::string& attention) {
  const auto variant = attnspan::attention_variant(attention);
  return variant.normalizer.make<float>(usual_shape)->unit_vectors();
}

/// What the literature calls variants: normalizers as they are, and the aliases.
inline std::vector<std::string> every_alias() {
  std::vector<std::string> names;
  for (const attnspan::NormalizerEntry& normalizer : attnspan::normalizer_catalog())
    names.push_back(within_reach(normalizer.name));
  for (const attnspan::Alias& alias : attnspan::attention_aliases()) names.push_back(alias.name);
  return names;
}

/// The variants of the paper.
inline std::vector<std::string> usual_variants() {
  return {"softmax", "ssmax", "entmax", "sparsemax", "asentmax"};
}

/// Every normalizer with every encoding, and with scalers in turn, so that every two parts that go
/// together occur together.
inline std::vector<Variant> every_combination() {
  std::vector<Variant> found;
  const auto scalers = attnspan::scaler_catalog();
  const std::vector<std::string> positions = every_position();
  std::size_t row = 0;
  for (const attnspan::NormalizerEntry& normalizer : attnspan::normalizer_catalog()) {
    for (std::size_t column = 0; column < positions.size(); ++column) {
      const std::string name = within_reach(normalizer.name);
      Variant variant{name + "+" + scalers[(row + column) % scalers.size()].name,
                      positions[column]};
      if (!variant.allowed()) variant.attention = name;  // it may take no scaler
      if (variant.allowed()) found.push_back(variant);
    }
    // Where an encoding goes with few normalizers, with every scaler.
    if (Variant{normalizer.name, "nape"}.allowed()) {
      ++row;
      continue;
    }
    for (const attnspan::ScalerEntry& scaler : scalers)
      found.push_back({normalizer.name + "+" + scaler.name, "nope"});
    ++row;
  }
  return found;
}

/// The paper's variants under its encodings; every other name under nope or nape, and every other
/// encoding under ASEntmax.
inline std::vector<Variant> every_model() {
  std::vector<Variant> found;
  const std::vector<std::string> usual_positions{"nope", "rope", "alibi", "nape"};
  for (const std::string& attention : usual_variants())
    for (const std::string& position : usual_positions) found.push_back({attention, position});
  const auto add_new = [&](const Variant& variant) {
    for (const Variant& other : found)
      if (other.attention == variant.attention && other.position == variant.position) return;
    found.push_back(variant);
  };
  // What compares directions has scores of 1 at most, of which the bias of a near head leaves a key
  // nothing but one step back.
  for (const std::string& attention : every_alias()) {
    const bool near = Variant{attention, "nape"}.allowed() && !compares_directions(attention);
    add_new({attention, near ? "nape" : Variant{attention, "rope"}.allowed() ? "rope" : "nope"});
  }
  for (const std::string& position : every_position())
    add_new({"asentmax", position == "window" ? "window:scaled=all" : position});
  for (const char* position : {"rope:window=40", "rope:scaling=ntk,factor=4,at=evaluation"})
    add_new({"asentmax", position});
  for (const char* attention : {"entmax:learned+log:bias=learned", "softmax+fixed-log@evaluation",
                                "entmax+adaptive:delta=learned"})
    add_new({attention, "nape"});
  return found;
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
    return normalizer_of(name).make<Real>(usual_shape);
  }
};

/// Every normalizer of the catalog, as it is and with those of 1.2, 1.5, 2 and 3 that its first
/// number takes (of alpha: a general one, the two with closed forms, and one above 2).
inline std::vector<NamedNormalizer> every_normalizer() {
  std::vector<NamedNormalizer> found;
  for (const attnspan::NormalizerEntry& entry : attnspan::normalizer_catalog()) {
    const std::string usual = normalizer_of(entry.name).brief();
    found.push_back({usual});
    for (const std::string& form : other_forms(entry)) found.push_back({form});
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
