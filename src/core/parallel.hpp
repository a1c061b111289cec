#pragma once

#include <omp.h>

#include <exception>

#include "core/aligned.hpp"

namespace attnspan {

/// One copy of the body for the two loops below: compiled twice, its multiplications and additions
/// could be fused differently, and one thread would round differently from two.
template <class Body>
[[gnu::noinline]] void call_once_compiled(const Body& body, Index i) {
  body(i);
}

/// Calls body(i) for i = 0 .. count-1 on the OpenMP threads, next free thread takes the next i. The
/// first exception that a call throws is rethrown here once all have ended. Determinism is the
/// caller's: body(i) must write only what belongs to i.
template <class Body>
void parallel_for(Index count, const Body& body) {
  if (count == 1 || omp_get_max_threads() == 1 || omp_in_parallel()) {
    for (Index i = 0; i < count; ++i) call_once_compiled(body, i);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
  for (Index i = 0; i < count; ++i) {
    try {
      call_once_compiled(body, i);
    } catch (...) {
#pragma omp critical(attnspan_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace attnspan
