#include "cli/interrupt.hpp"

#include <sys/time.h>

#include <algorithm>
#include <cmath>
#include <csignal>

namespace attnspan {
namespace {

// A signal handler can reach nothing but what is global.
std::atomic<bool> interrupted{false};
std::atomic<bool> over{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void note_interrupt(int signal) {
  if (signal == SIGALRM) over = true;
  interrupted = true;
}

void catch_signal(int signal) {
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& catch_interrupts() {
  catch_signal(SIGINT);
  catch_signal(SIGTERM);
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    catch_signal(SIGHUP);
  return interrupted;
}

void interrupt_after(double seconds) {
  catch_signal(SIGALRM);
  seconds = std::max(seconds, 1e-6);  // 0 would be never
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = static_cast<suseconds_t>(1e6 * (seconds - std::floor(seconds)));
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

bool time_is_over() { return over; }

}  // namespace attnspan
