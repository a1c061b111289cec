#include "position/position.hpp"

#include "core/names.hpp"

namespace attnspan {

const PositionEntry& position_entry(const std::string& name) {
  std::vector<std::string> allowed;
  for (const PositionEntry& entry : position_catalog()) {
    if (entry.name == name) return entry;
    allowed.push_back(entry.name);
  }
  unknown_name("position encoding", name, allowed);
}

}  // namespace attnspan
