#pragma once

#include <string>
#include <vector>

#include "attention/normalizer.hpp"
#include "attention/scaler.hpp"

namespace attnspan {

/// An attention variant: a scaler times a normalizer.
struct AttentionVariant {
  /// The one name of all spellings: that of the literature where there is one, else
  /// normalizer[:arguments]+scaler[:arguments].
  std::string name;
  Choice<NormalizerEntry> normalizer;
  Choice<ScalerEntry> scaler;
  bool scaled_in_training = true;  ///< else at evaluation only
};

/// What normalizers and scalers say that the literature calls them.
const std::vector<Alias>& attention_aliases();

/// Reads an alias ("asentmax"), a normalizer with or without arguments ("entmax:1.3"), or a pair
/// ("entmax:1.5+adaptive"); with "@evaluation" behind it, the scaler scales nothing in training.
/// Throws InputError with the nearest valid name.
AttentionVariant attention_variant(const std::string& name);

}  // namespace attnspan
