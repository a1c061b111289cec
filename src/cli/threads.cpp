#include "cli/threads.hpp"

#include "core/error.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"

namespace attnspan {

int read_threads(const std::optional<std::string>& text) {
  if (!text) return threads();
  const long long threads = parse_integer(*text, "--threads");
  if (threads < 1 || threads > 1024)
    throw InputError("--threads must be from 1 to 1024, not " + std::to_string(threads) + ".");
  return static_cast<int>(threads);
}

}  // namespace attnspan
