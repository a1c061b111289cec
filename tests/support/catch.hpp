#pragma once

// Catch2 v2 (Debian 12) and v3 (newer systems) differ in their headers, and v3 leaves Approx in its
// namespace.
#if CATCH_VERSION >= 3
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
