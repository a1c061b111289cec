#pragma once

#include <omp.h>

#include <exception>

#include "core/aligned.hpp"

namespace attnspan {

/// Calls body(i) for i = 0 .. count-1 on the OpenMP threads, next free thread takes the next i. The
/// first exception that a call throws is rethrown here once all have ended. Determinism is the
/// caller's: body(i) must write only what belongs to i.
template <class Body>
void parallel_for(Index count, const Body& body) {
  std::exception_ptr failure;
  // One thread takes this way too: a second copy of the body would be compiled on its own, with
  // multiplications and additions fused otherwise, and round otherwise.
#pragma omp parallel for schedule(dynamic, 1) if (count > 1 && !omp_in_parallel())
  for (Index i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(attnspan_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace attnspan
