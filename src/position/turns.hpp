#pragma once

#include "catalog/arguments.hpp"

namespace attnspan {

/// What the slowest of an encoding's turns is slowed down by.
inline ParameterSpec base_parameter() {
  return {.name = "base",
          .help = "turns slow down to position / base",
          .default_value = "10000",
          .kind = ParameterSpec::Kind::number,
          .minimum = 2,
          .maximum = 1e12};
}

}  // namespace attnspan
