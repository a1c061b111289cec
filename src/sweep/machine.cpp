#include "sweep/machine.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace attnspan {

double control_group_memory(const std::string& groups, const std::string& folder) {
  double bytes = std::numeric_limits<double>::infinity();
  const auto limit_by = [&](const std::string& path) {
    double limit = 0;  // "max" does not read as a number
    if (std::ifstream(path) >> limit) bytes = std::min(bytes, limit);
  };
  std::ifstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    // "0::/path" in version 2, "9:memory:/path" in version 1.
    const std::size_t kind = line.find(':') + 1, end = line.find(':', kind);
    if (kind == 0 || end == std::string::npos) continue;
    const bool is_first_version = line.substr(kind, end - kind) == "memory";
    if (!is_first_version && end != kind) continue;
    const std::string root = folder + (is_first_version ? "/memory" : "");
    const char* const file = is_first_version ? "/memory.limit_in_bytes" : "/memory.max";
    for (std::string path = line.substr(end + 1);; path.resize(path.rfind('/'))) {
      limit_by(root + path + file);
      if (path.find('/') == std::string::npos) break;
    }
  }
  return bytes;
}

double memory_bytes() {
  double bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                 static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  bytes = std::min(bytes, control_group_memory("/proc/self/cgroup", "/sys/fs/cgroup"));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    bytes = std::min(bytes, static_cast<double>(limit.rlim_cur));
  return bytes;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return "unknown";
}

}  // namespace attnspan
