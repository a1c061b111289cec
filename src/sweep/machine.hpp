#pragma once

#include <string>

namespace attnspan {

/// Bytes of memory that a process may come to use here: what is installed or, where the system sets
/// a lower limit (control group, ulimit), that.
double memory_bytes();

/// What the system calls its processor, or "unknown".
std::string processor_name();

}  // namespace attnspan
