#include "attention/variant.hpp"

#include <algorithm>

namespace attnspan {
namespace {

constexpr const char* evaluation_only = "@evaluation";

const Alias* find_alias(const std::string& name) {
  const std::vector<Alias>& aliases = attention_aliases();
  const auto found = std::find_if(aliases.begin(), aliases.end(),
                                  [&](const Alias& alias) { return alias.name == name; });
  return found == aliases.end() ? nullptr : &*found;
}

/// Reads normalizer+scaler; the name is the pair written out.
AttentionVariant from_pair(const std::string& name) {
  const std::vector<std::string> pair = split(name, '+');
  if (pair.size() > 2)
    throw InputError("attention '" + name.substr(0, 80) +
                     "' has more than one '+'; write normalizer+scaler, e.g. entmax:1.5+adaptive.");
  if (const Alias* alias = find_alias(pair[0].substr(0, pair[0].find(':'))))
    throw InputError("attention " + alias->name + " stands for " + alias->text +
                     " as it is; write that out to change it.");
  std::vector<std::string> aliases;
  for (const Alias& alias : attention_aliases()) aliases.push_back(alias.name);
  AttentionVariant variant{
      "", choose("attention", normalizer_catalog(), pair[0], aliases),
      choose("scaler", scaler_catalog(), pair.size() == 2 ? pair[1] : std::string("none"))};
  variant.name = variant.normalizer.brief() + "+" + variant.scaler.label();
  return variant;
}

}  // namespace

const std::vector<Alias>& attention_aliases() {
  static const std::vector<Alias> aliases = [] {
    std::vector<Alias> found;
    for (const NormalizerEntry& entry : normalizer_catalog())
      found.insert(found.end(), entry.aliases.begin(), entry.aliases.end());
    for (const ScalerEntry& entry : scaler_catalog())
      found.insert(found.end(), entry.aliases.begin(), entry.aliases.end());
    return found;
  }();
  return aliases;
}

AttentionVariant attention_variant(const std::string& name) {
  if (const std::size_t at = name.find('@'); at != std::string::npos) {
    if (name.substr(at) != evaluation_only)
      throw InputError("attention '" + name.substr(0, 80) +
                       "' has an '@' that is not the one of @evaluation, which has a scaler scale "
                       "at evaluation only.");
    const Alias* pair = find_alias(name.substr(0, at));
    AttentionVariant variant = from_pair(pair ? pair->text : name.substr(0, at));
    if (variant.scaler.entry->name == "none")
      throw InputError("attention '" + name.substr(0, 80) +
                       "' has no scaler that could scale at evaluation only; write "
                       "normalizer+scaler@evaluation.");
    variant.name += evaluation_only;
    variant.scaled_in_training = false;
    return variant;
  }
  const Alias* asked = find_alias(name);
  AttentionVariant variant = from_pair(asked ? asked->text : name);
  for (const Alias& alias : attention_aliases())
    if (from_pair(alias.text).name == variant.name) {
      variant.name = alias.name;
      return variant;
    }
  // A normalizer as it is, unscaled, goes by its name alone.
  if (variant.name == from_pair(variant.normalizer.entry->name).name)
    variant.name = variant.normalizer.entry->name;
  return variant;
}

}  // namespace attnspan
