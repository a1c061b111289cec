#pragma once

#include "core/aligned.hpp"

namespace attnspan {

/// Threads that the parallel loops of the calling thread spread over, itself included. At first the
/// processors that this process may use.
int threads();

/// Sets that, for the calling thread's loops from now on.
void set_threads(int count);

/// Which of these threads the caller is: 0 .. threads() - 1.
int thread_number();

/// Whether threads would help the caller, who is in a loop's body, with a loop now. Where they
/// would not, work is better done in one piece.
bool has_idle_threads();

/// Multiply-adds from which on work within a body is worth dividing among idle threads: these need
/// a microsecond to notice, and more to fetch what it is about.
constexpr Index worth_dividing = 400'000;

/// parallel_for's loop, over whatever `body` points to.
void spread(Index count, void (*call)(const void* body, Index i), const void* body);

/// Calls body(i) for i = 0 .. count-1, next free thread takes the next i. Inside another loop's
/// body the calls come one after another, unless that loop has nothing left for other threads: then
/// they help here. The first exception that a call throws is rethrown here once all have ended.
/// Determinism is the caller's: body(i) must write only what belongs to i, or to the thread.
///
/// Within a body subnormal numbers (floats below 1.2e-38, doubles below 2.2e-308) count as 0,
/// outside they do not, so whether something runs in a body must not depend on the number of
/// threads. Beside numbers of usual size they are nothing, but some processors take eighty times as
/// long with them, and the weights of far keys pass through them on their way to 0.
///
/// Nothing here waits for a thread that has nothing to do: on a busy machine the loop is over when
/// its bodies are, however late the others wake up.
template <class Body>
void parallel_for(Index count, const Body& body) {
  spread(
      count, [](const void* of, Index i) { (*static_cast<const Body*>(of))(i); }, &body);
}

}  // namespace attnspan
