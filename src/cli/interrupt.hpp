#pragma once

#include <atomic>

namespace attnspan {

/// From now on the first SIGINT, SIGTERM or SIGHUP sets the flag that is returned, and a second one
/// kills as usual. A SIGHUP that is ignored (nohup) stays so.
const std::atomic<bool>& catch_interrupts();

/// Sets that flag when so many seconds have passed.
void interrupt_after(double seconds);

/// Whether the time that was given to interrupt_after is over.
bool time_is_over();

}  // namespace attnspan
