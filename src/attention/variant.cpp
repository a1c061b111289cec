#include "attention/variant.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

/// "entmax:1.5+adaptive" taken apart.
struct Parts {
  std::string normalizer, argument, scaler = "none";
};

Parts take_apart(const std::string& name) {
  Parts parts;
  const std::vector<std::string> pair = split(name, '+');
  if (pair.size() > 2)
    throw InputError("attention '" + name.substr(0, 80) +
                     "' has more than one '+'; write normalizer+scaler, e.g. entmax:1.5+adaptive.");
  if (pair.size() == 2) parts.scaler = pair[1];
  const std::size_t colon = pair[0].find(':');
  parts.normalizer = pair[0].substr(0, colon);
  if (colon != std::string::npos) parts.argument = pair[0].substr(colon + 1);
  return parts;
}

double argument_of(const NormalizerEntry& entry, const std::string& text) {
  if (!entry.argument) {
    if (!text.empty())
      throw InputError("attention " + entry.name +
                       " takes no argument, but got ':" + text.substr(0, 80) + "'.");
    return 0;
  }
  const NormalizerEntry::Argument& argument = *entry.argument;
  if (text.empty()) return argument.default_value;
  const double value = parse_number(text, entry.name + "'s " + argument.name);
  if (value < argument.minimum || value > argument.maximum)
    throw InputError(entry.name + "'s " + argument.name + " must be from " +
                     shortest(argument.minimum) + " to " + shortest(argument.maximum) + ", not " +
                     shortest(value) + ".");
  return value;
}

template <class Entry>
const Entry* find(std::span<const Entry> catalog, const std::string& name) {
  const auto found =
      std::find_if(catalog.begin(), catalog.end(), [&](auto& entry) { return entry.name == name; });
  return found == catalog.end() ? nullptr : &*found;
}

/// The pair written out in full, so that two spellings of one variant compare equal.
std::string full_name(const AttentionVariant& variant) {
  std::string name = variant.normalizer->name;
  if (variant.normalizer->argument) name.append(1, ':').append(shortest(variant.argument));
  return name.append(1, '+').append(variant.scaler->name);
}

AttentionVariant from_pair(const std::string& name) {
  const Parts parts = take_apart(name);
  AttentionVariant variant;
  variant.normalizer = find(normalizer_catalog(), parts.normalizer);
  variant.scaler = find(scaler_catalog(), parts.scaler);
  if (!variant.normalizer) {
    std::vector<std::string> allowed;
    for (const AttentionAlias& alias : attention_aliases()) allowed.push_back(alias.name);
    for (const NormalizerEntry& entry : normalizer_catalog())
      if (std::find(allowed.begin(), allowed.end(), entry.name) == allowed.end())
        allowed.push_back(entry.name);
    unknown_name("attention", parts.normalizer, allowed);
  }
  if (!variant.scaler) {
    std::vector<std::string> allowed;
    for (const ScalerEntry& entry : scaler_catalog()) allowed.push_back(entry.name);
    unknown_name("scaler", parts.scaler, allowed);
  }
  variant.argument = argument_of(*variant.normalizer, parts.argument);
  variant.name = full_name(variant);
  return variant;
}

}  // namespace

const std::vector<AttentionAlias>& attention_aliases() {
  static const std::vector<AttentionAlias> aliases{
      {"softmax", "softmax+none", "the usual attention"},
      {"ssmax", "softmax+log", "Scalable-Softmax: scores grow with the logarithm of the length"},
      {"entmax", "entmax:1.5+none", "sparse attention, alpha = 1.5"},
      {"sparsemax", "entmax:2+none", "sparser attention, alpha = 2"},
      {"asentmax", "entmax:1.5+adaptive", "sparse attention with a learned, length-aware scale"},
  };
  return aliases;
}

AttentionVariant attention_variant(const std::string& name) {
  for (const AttentionAlias& alias : attention_aliases())
    if (alias.name == name) {
      AttentionVariant variant = from_pair(alias.pair);
      variant.name = name;
      return variant;
    }
  AttentionVariant variant = from_pair(name);
  for (const AttentionAlias& alias : attention_aliases())
    if (alias.pair == variant.name) variant.name = alias.name;
  return variant;
}

}  // namespace attnspan
