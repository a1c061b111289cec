#pragma once

#include <cstdint>

namespace attnspan {

/// The most memory that this process has had resident since its start or the last reset, in bytes;
/// 0 where the system does not tell.
std::int64_t peak_memory_bytes();

/// Starts the peak anew from what is resident now; where the system cannot, the old peak stays.
void reset_peak_memory();

}  // namespace attnspan
