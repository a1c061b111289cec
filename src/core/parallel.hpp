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

/// parallel_for's and share_with_idle's loops, over whatever `body` points to.
void spread(Index count, void (*call)(const void* body, Index i), const void* body);
void share(Index count, void (*call)(const void* body, Index i), const void* body);

template <class Body>
void call_body(const void* body, Index i) {
  (*static_cast<const Body*>(body))(i);
}

/// Calls body(i) for i = 0 .. count-1, next free thread takes the next i; one after another inside
/// another loop's body. The first exception that a call throws is rethrown here once all have
/// ended. Determinism is the caller's: body(i) must write only what belongs to i.
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
  spread(count, call_body<Body>, &body);
}

/// Whether the caller is in a loop's body, and that loop has nothing left for some of its threads.
bool has_idle_threads();

/// Multiply-adds from which on work is worth sharing with them: they need a microsecond to notice,
/// one that fell asleep many, and some to fetch what it is about.
constexpr Index worth_sharing = 400'000;

/// Within a loop's body: calls body(i) for i = 0 .. count-1, and threads that have nothing left to
/// do take part. One after another where there is none, and within a call that the caller shares.
/// What is the thread's own (by thread_number(), or thread_local) is not to be held across this.
template <class Body>
void share_with_idle(Index count, const Body& body) {
  share(count, call_body<Body>, &body);
}

}  // namespace attnspan
