#include "cli/build_info.hpp"

#include <chrono>
#include <ctime>
#include <thread>

#include "cli/commit.hpp"
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

std::string simd_name() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2+FMA";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__SSE2__)
  return "SSE2";
#elif defined(__ARM_NEON)
  return "NEON";
#else
  return "scalar";
#endif
}

std::string describe_build() {
  return "attnspan " ATTNSPAN_VERSION " (" + std::string(build_commit()) + "), " + compiler_name() +
         ", " + simd_name();
}

Json result_context(int threads) {
  return {{"date", utc_now()},
          {"version", ATTNSPAN_VERSION},
          {"commit", build_commit()},
          {"compiler", compiler_name()},
          {"flags", ATTNSPAN_FLAGS},
          {"simd", simd_name()},
          {"cpu", processor_name()},
          {"cores", std::thread::hardware_concurrency()},
          {"memory_bytes", static_cast<std::int64_t>(memory_bytes())},
          {"threads", threads}};
}

}  // namespace attnspan
