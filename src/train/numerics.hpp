#pragma once

namespace attnspan {

/// Raised by every change after which some cell gives other bytes. It stands in each row: cells of
/// different numbers do not mix.
inline constexpr int numerics = 1;

}  // namespace attnspan
