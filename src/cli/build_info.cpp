#include "cli/build_info.hpp"

#include <chrono>
#include <ctime>
#include <thread>

#include "cli/commit.hpp"
#include "ops/engine.hpp"
#include "sweep/machine.hpp"

namespace attnspan {
namespace {

std::string compiler_name() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown compiler";
#endif
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace

std::string describe_build() {
  return "attnspan " ATTNSPAN_VERSION " (" + std::string(build_commit()) + "), " + compiler_name() +
         ", " + std::string(engine().title);
}

Json result_context(int threads) {
  return {{"date", utc_now()},
          {"version", ATTNSPAN_VERSION},
          {"commit", build_commit()},
          {"compiler", compiler_name()},
          {"flags", ATTNSPAN_FLAGS},
          {"simd", std::string(engine().title)},
          {"cpu", processor_name()},
          {"cores", std::thread::hardware_concurrency()},
          {"memory_bytes", static_cast<std::int64_t>(memory_bytes())},
          {"threads", threads}};
}

}  // namespace attnspan
