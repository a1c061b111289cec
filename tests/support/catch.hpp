#pragma once

// Catch2 v2 (Debian 12) and v3 (newer systems) differ in their headers only.
#if CATCH_VERSION >= 3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

// In both versions.
using Catch::Approx;
