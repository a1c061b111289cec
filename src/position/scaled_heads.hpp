#pragma once

#include <string>

#include "position/position.hpp"

namespace attnspan {

/// The heads whose scores a scaler scales: all of them, or those without a bias.
enum class ScaledHeads { all, unbiased };

/// The parameter that leaves the choice open, for encodings that bias some heads.
ParameterSpec scaled_parameter(const std::string& default_value);

/// What it says; all heads where an encoding has no such parameter.
ScaledHeads scaled_heads(const Choice<PositionEntry>& position);

}  // namespace attnspan
