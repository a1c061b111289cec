#pragma once

#include <string>
#include <vector>

#include "attention/normalizer.hpp"
#include "attention/scaler.hpp"

namespace attnspan {

/// An attention variant: a scaler times a normalizer.
struct AttentionVariant {
  std::string name;  ///< canonical: the alias where there is one, else normalizer[:argument]+scaler
  const NormalizerEntry* normalizer = nullptr;
  double argument = 0;  ///< the normalizer's, e.g. alpha
  const ScalerEntry* scaler = nullptr;
};

/// A name of the literature for a pair.
struct AttentionAlias {
  std::string name;
  std::string pair;
  std::string summary;
};
const std::vector<AttentionAlias>& attention_aliases();

/// Reads an alias ("asentmax"), a normalizer with or without argument ("entmax:1.3"), or a pair
/// ("entmax:1.5+adaptive"). Throws InputError with the nearest valid name.
AttentionVariant attention_variant(const std::string& name);

}  // namespace attnspan
