#include "position/position.hpp"

namespace attnspan {

Choice<PositionEntry> position_choice(std::string_view text) {
  return choose("position encoding", position_catalog(), text);
}

}  // namespace attnspan
