#pragma once

#include "position/position.hpp"

namespace attnspan {

/// The parameter of encodings that take randomized positions.
ParameterSpec randomized_parameter();

/// What positions are drawn from, 0 .. this-1; 0 where they are not drawn.
Position randomized_reach(const Choice<PositionEntry>& position);

}  // namespace attnspan
