#include "position/position.hpp"

namespace attnspan {

const std::vector<Alias>& position_aliases() {
  static const std::vector<Alias> aliases = [] {
    std::vector<Alias> found;
    for (const PositionEntry& entry : position_catalog())
      found.insert(found.end(), entry.aliases.begin(), entry.aliases.end());
    return found;
  }();
  return aliases;
}

Choice<PositionEntry> position_choice(std::string_view text) {
  std::vector<std::string> by_layer;
  for (const Alias& alias : position_aliases()) {
    if (alias.name == text)
      throw InputError("position " + alias.name +
                       " says what every layer has, so it stands alone; as one of several write "
                       "out " +
                       alias.text + ".");
    by_layer.push_back(alias.name);
  }
  return choose("position encoding", position_catalog(), text, by_layer);
}

}  // namespace attnspan
