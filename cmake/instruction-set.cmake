# The program runs on every processor of its architecture. The loops that the time goes into,
# src/ops/kernels, are compiled once for each instruction set that pays, and the program chooses when
# it starts: no copies of the rest, no second file to install, and a set can be forced for a test.
set(kernel_sets baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND kernel_sets avx2 avx512)
endif()
set(kernel_flags_avx2 -mavx2 -mfma)
set(kernel_flags_avx512 -mavx512f -mfma)

set(kernel_objects)
foreach(set IN LISTS kernel_sets)
  add_library(attnspan_kernels_${set} OBJECT src/ops/kernels/kernels.cpp)
  target_include_directories(attnspan_kernels_${set} PRIVATE src)
  target_link_libraries(attnspan_kernels_${set} PRIVATE attnspan_flags)
  target_compile_definitions(attnspan_kernels_${set} PRIVATE ATTNSPAN_ENGINE=${set}_engine)
  # Optimised in every build: what is not inlined would be shared between the copies.
  target_compile_options(attnspan_kernels_${set} PRIVATE -O3 ${kernel_flags_${set}}
    # GCC 12 takes the undefined lanes in its own AVX-512 header for a mistake (GCC bug 105593).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-uninitialized>)
  list(APPEND kernel_objects $<TARGET_OBJECTS:attnspan_kernels_${set}>)
endforeach()
