#pragma once

#include <atomic>

namespace attnspan {

/// From now on the first SIGINT and the first SIGTERM set the flag that is returned, and a second
/// one kills as usual.
const std::atomic<bool>& catch_interrupts();

}  // namespace attnspan
