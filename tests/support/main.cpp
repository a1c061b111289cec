#if CATCH_VERSION >= 3
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

#include "ops/engine.hpp"

int main(int argc, char** argv) {
  if (const char* name = std::getenv("ATTNSPAN_SIMD")) attnspan::choose_engine(name);
  return Catch::Session().run(argc, argv);
}
