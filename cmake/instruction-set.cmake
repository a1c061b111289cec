# One instruction set for the whole program, chosen here and said aloud. AVX2 with FMA (x86-64-v3) is
# what the kernels are measured with; AVX-512 was slower with Eigen 3.4, so it is not chosen. Two
# machines that build for the same set also give the same result bytes.
set(ATTNSPAN_ARCHITECTURE "auto" CACHE STRING
    "Value for -march, or auto: x86-64-v3 where the building machine has it, else the baseline")

set(ATTNSPAN_ARCHITECTURE_FLAGS "")
if(NOT ATTNSPAN_ARCHITECTURE STREQUAL "auto")
  set(ATTNSPAN_ARCHITECTURE_FLAGS "-march=${ATTNSPAN_ARCHITECTURE}")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  include(CheckCXXSourceRuns)
  check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"avx2\") &&
                         __builtin_cpu_supports(\"fma\") && __builtin_cpu_supports(\"bmi2\") ? 0 : 1; }"
                        ATTNSPAN_HAS_AVX2)
  if(ATTNSPAN_HAS_AVX2)
    set(ATTNSPAN_ARCHITECTURE_FLAGS "-march=x86-64-v3")
  endif()
endif()
if(ATTNSPAN_ARCHITECTURE_FLAGS)
  message(STATUS "attnspan is built for ${ATTNSPAN_ARCHITECTURE_FLAGS}; it will not run on older processors")
else()
  message(STATUS "attnspan is built for any processor of this architecture (no AVX2: several times slower)")
endif()
