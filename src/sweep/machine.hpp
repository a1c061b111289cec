#pragma once

#include <string>

namespace attnspan {

/// Bytes of memory that a process may come to use here: what is installed or, where the system sets
/// a lower limit (control group, ulimit), that.
double memory_bytes();

/// The lowest memory limit of a process's control groups and those that they are in, as a batch
/// system or a container sets it: the groups as in /proc/self/cgroup, below a folder like
/// /sys/fs/cgroup. Infinite where there is none.
double control_group_memory(const std::string& groups, const std::string& folder);

/// What the system calls its processor, or "unknown".
std::string processor_name();

}  // namespace attnspan
