#if CATCH_VERSION >= 3
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <string>

#include "ops/engine.hpp"

/// The instruction set that the environment asks for. For a second run of the tests,
/// ATTNSPAN_OTHER_SIMD chooses one that the first did not have; false where there is none such.
static bool choose() {
  if (const char* name = std::getenv("ATTNSPAN_SIMD")) attnspan::choose_engine(name);
  const char* other = std::getenv("ATTNSPAN_OTHER_SIMD");
  if (!other) return true;
  for (const attnspan::Engine* engine : attnspan::engines())
    if (engine->name == std::string(other) && engine != attnspan::engines().back()) {
      attnspan::choose_engine(other);
      return true;
    }
  return false;
}

int main(int argc, char** argv) {
  constexpr int skipped = 77;
  if (!choose()) return skipped;
  return Catch::Session().run(argc, argv);
}
