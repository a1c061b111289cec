#include "ops/engine.hpp"

#include <vector>

#include "core/names.hpp"

namespace attnspan {

extern const Engine baseline_engine;
#if defined(__x86_64__)
extern const Engine avx2_engine, avx512_engine;
#endif

namespace {

std::vector<const Engine*> available() {
  std::vector<const Engine*> found{&baseline_engine};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found.push_back(&avx2_engine);
  if (__builtin_cpu_supports("avx512f")) found.push_back(&avx512_engine);
#endif
  return found;
}

/// Written by choose_engine alone.
const Engine*& chosen() {
  static const Engine* choice = engines().back();
  return choice;
}

}  // namespace

std::span<const Engine* const> engines() {
  static const std::vector<const Engine*> found = available();
  return found;
}

const Engine& engine() { return *chosen(); }

void choose_engine(const std::string& name) {
  std::vector<std::string> allowed;
  for (const Engine* candidate : engines()) {
    if (candidate->name == name) {
      chosen() = candidate;
      return;
    }
    allowed.push_back(candidate->name);
  }
  unknown_name("instruction set of this processor", name, allowed);
}

}  // namespace attnspan
