#pragma once

#include <cstdint>

#include "ops/engine.hpp"

namespace attnspan {

/// Version of the arithmetic, raised by every change after which the same spec gives a cell other
/// bytes: another order of a sum, another polynomial, another draw.
inline constexpr std::int64_t numerics_version = 2;

/// The arithmetic of the engine in use; it stands in each row, and cells of different numbers do
/// not mix. All instruction sets with fused multiply-add give the same bytes and share the even
/// number; those without have the odd one after it.
inline std::int64_t numerics() { return 2 * numerics_version + (engine().fused ? 0 : 1); }

}  // namespace attnspan
