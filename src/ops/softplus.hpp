#pragma once

#include "core/mathematics.hpp"

namespace attnspan {

/// log(1 + e^v).
template <class Real>
Real softplus(Real v) {
  // From here on e^-v, all that v lacks, is below the rounding.
  constexpr Real large = sizeof(Real) == sizeof(float) ? 20 : 40;
  return v > large ? v : math::log1p(math::exp(v));
}

}  // namespace attnspan
