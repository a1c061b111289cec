#include "cli/threads.hpp"

#include <omp.h>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {

int read_threads(const std::optional<std::string>& text) {
  if (!text) return omp_get_max_threads();
  const long long threads = parse_integer(*text, "--threads");
  if (threads < 1 || threads > 1024)
    throw InputError("--threads must be from 1 to 1024, not " + std::to_string(threads) + ".");
  return static_cast<int>(threads);
}

}  // namespace attnspan
