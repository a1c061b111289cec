#pragma once

#include <string>
#include <vector>

namespace attnspan {

struct CatalogLine {
  std::string name;
  std::string summary;
};

/// For `attnspan list attention`: the paper's aliases, every normalizer file, every scaler file.
std::vector<CatalogLine> attention_aliases();
std::vector<CatalogLine> normalizer_names();
std::vector<CatalogLine> scaler_names();

/// The canonical name of a variant: its alias where it has one, else normalizer+scaler. Throws
/// InputError on an unknown name or a bad argument.
std::string canonical_attention(const std::string& name);

}  // namespace attnspan
