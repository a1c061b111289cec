#include "core/parallel.hpp"

#include <sched.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace attnspan {
namespace {

using Call = void (*)(const void*, Index);

/// How long a thread looks for something to do before it sleeps: longer than the pauses between the
/// loops of a training step, short enough to leave the processor to others. Of 0 (asleep at once),
/// 50 and 200 microseconds, by `attnspan bench` on two cores in turn, the medians of three runs
/// differ by less than the runs do, but beside two busy processes 50 was lowest for the reference
/// cell, and a small cell lost 4 percent more with 200. That it ends is what counts.
constexpr std::chrono::microseconds patience{50};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// How the calling thread's floating point is controlled: rounding, and what becomes of subnormal
/// numbers. A result that would round up to the smallest normal number is that on x86-64 and 0 on
/// Arm.
#if defined(__x86_64__)
using Control = unsigned;
constexpr Control no_subnormals = 0x8040;  // DAZ, of operands, and FTZ, of results
Control control() { return _mm_getcsr(); }
void set_control(Control to) { _mm_setcsr(to); }
#elif defined(__aarch64__)
using Control = std::uint64_t;
constexpr Control no_subnormals = std::uint64_t{1} << 24;  // FZ, of both
Control control() {
  Control now;
  asm volatile("mrs %0, fpcr" : "=r"(now));
  return now;
}
void set_control(Control to) { asm volatile("msr fpcr, %0" : : "r"(to)); }
#else
#error "how subnormal numbers become 0 is not known for this processor"
#endif

/// As long as it lives, subnormal numbers are 0 in the calling thread.
class WithoutSubnormals {
 public:
  WithoutSubnormals() { set_control(before_ | no_subnormals); }
  ~WithoutSubnormals() { set_control(before_); }
  WithoutSubnormals(const WithoutSubnormals&) = delete;
  WithoutSubnormals& operator=(const WithoutSubnormals&) = delete;

 private:
  const Control before_ = control();
};

/// Waits until the number is another one, and returns that.
std::uint32_t await_change(const std::atomic<std::uint32_t>& number, std::uint32_t old) {
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 16; ++i) {
      if (const std::uint32_t now = number.load(std::memory_order_acquire); now != old) return now;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  number.wait(old, std::memory_order_acquire);
  return number.load(std::memory_order_acquire);
}

/// Processors that this process may use, which a batch system or `taskset` may have limited.
int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

thread_local int wanted = processors();
thread_local int number_of_this_thread = 0;

/// Indices that threads take one after the other. One thread opens and closes it, loop after loop;
/// any may work at it.
class Loop {
 public:
  void open(Index count, Call call, const void* body) {
    assert(count < static_cast<Index>(over));
    count_ = static_cast<std::uint32_t>(count);
    call_ = call;
    body_ = body;
    unfinished_ = static_cast<std::uint32_t>(count);
    next_ = std::uint64_t{++number_} << 32;
  }

  /// Takes one index after the other until all are taken. False: there was none.
  bool work() {
    bool worked = false;
    std::uint64_t next = next_;
    while (true) {
      const auto index = static_cast<std::uint32_t>(next);
      const Call call = call_;
      const void* const body = body_;
      if (index >= count_) return worked;
      if (!next_.compare_exchange_weak(next, next + 1)) continue;
      worked = true;
      try {
        call(body, index);
      } catch (...) {
        const std::lock_guard lock(failing_);
        if (!failure_) failure_ = std::current_exception();
      }
      if (--unfinished_ == 0) unfinished_.notify_one();
      next = next_;
    }
  }

  /// Asked by the thread that opens it.
  bool is_open() const { return static_cast<std::uint32_t>(next_.load()) != over; }
  bool is_taken() const { return static_cast<std::uint32_t>(next_.load()) >= count_; }
  bool is_finished() const { return unfinished_ == 0; }

  /// Returns when all calls have.
  void await() {
    for (std::uint32_t left = unfinished_; left != 0;) left = await_change(unfinished_, left);
  }

  /// Once it is finished; throws what its calls threw first.
  void close() {
    // Before anything is written for the next loop: who read this loop's number takes nothing of
    // that one.
    next_ = std::uint64_t{number_} << 32 | over;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  static constexpr std::uint32_t over = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t number_ = 0;
  // Written by the loop's thread while no index can be taken, and read before one is: who takes one
  // has read what belongs to it.
  std::atomic<std::uint32_t> count_{0};
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> body_{nullptr};
  alignas(64) std::atomic<std::uint64_t> next_{over};  ///< number of the loop, and index in it
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};
  std::mutex failing_;
  std::exception_ptr failure_;
};

/// A thread and those that help it with its loops. Each of them has a loop for those within a body,
/// which the others work at when the outer loop has nothing left for them.
class Team {
 public:
  /// With fewer helpers where the system gives no more threads. Made within a loop, whose floating
  /// point control threads inherit (POSIX, pthread_create).
  explicit Team(int threads) : threads_(threads), inner_(static_cast<std::size_t>(threads)) {
    try {
      for (int number = 1; number < threads; ++number)
        helpers_.emplace_back([this, number] { help(number); });
    } catch (const std::system_error&) {
    }
  }

  ~Team() {
    stopping_ = true;
    announce();
    for (std::thread& helper : helpers_) helper.join();
  }

  int threads() const { return threads_; }

  /// Whether another thread is idle, the outer loop has nothing left for it, and the caller is in
  /// no inner loop of its own.
  bool can_share() const { return idle_ > 0 && outer_.is_taken() && !inner_[own()].is_open(); }

  void run(Index count, Call call, const void* body);
  void run_inner(Index count, Call call, const void* body);

 private:
  static std::size_t own() { return static_cast<std::size_t>(number_of_this_thread); }
  void help(int number);

  /// Works at what there is. False: there was nothing.
  bool work() {
    if (outer_.work()) {
      if (outer_.is_finished()) announce();
      return true;
    }
    for (std::size_t k = 1; k < inner_.size(); ++k)
      if (inner_[(own() + k) % inner_.size()].work()) return true;
    return false;
  }

  void announce() {
    ++news_;
    news_.notify_all();
  }

  void await_news(std::uint32_t seen) {
    ++idle_;
    await_change(news_, seen);
    --idle_;
  }

  const int threads_;
  Loop outer_;
  std::vector<Loop> inner_;  ///< by thread
  /// How often there was something new: a loop, the end of the outer one, the end of all.
  alignas(64) std::atomic<std::uint32_t> news_{0};
  alignas(64) std::atomic<int> idle_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> helpers_;  // last: they use the others
};

thread_local std::unique_ptr<Team> team;
thread_local Team* helped = nullptr;  ///< the team whose outer loop this thread is in

void Team::help(int number) {
  wanted = threads_;
  number_of_this_thread = number;
  helped = this;
  while (true) {
    // Read first: who has seen the last of the news sees that the team is stopping.
    const std::uint32_t seen = news_;
    if (stopping_) return;
    if (!work()) await_news(seen);
  }
}

void Team::run(Index count, Call call, const void* body) {
  helped = this;
  outer_.open(count, call, body);
  announce();
  while (!outer_.is_finished()) {
    const std::uint32_t seen = news_;
    if (!work() && !outer_.is_finished()) await_news(seen);
  }
  helped = nullptr;
  outer_.close();
}

void Team::run_inner(Index count, Call call, const void* body) {
  Loop& inner = inner_[own()];
  inner.open(count, call, body);
  ++news_;
  for (Index i = std::min<Index>(count - 1, idle_); i > 0; --i) news_.notify_one();
  inner.work();
  inner.await();
  inner.close();
}

}  // namespace

int threads() { return wanted; }
void set_threads(int count) { wanted = count; }
int thread_number() { return number_of_this_thread; }

bool has_idle_threads() { return helped != nullptr && helped->can_share(); }

void share(Index count, Call call, const void* body) {
  if (count > 1 && has_idle_threads())
    helped->run_inner(count, call, body);
  else
    for (Index i = 0; i < count; ++i) call(body, i);
}

void spread(Index count, Call call, const void* body) {
  const WithoutSubnormals within;
  if (count <= 1 || wanted == 1 || helped != nullptr) {
    for (Index i = 0; i < count; ++i) call(body, i);
    return;
  }
  if (!team || team->threads() != wanted) {
    team.reset();
    team = std::make_unique<Team>(wanted);
  }
  team->run(count, call, body);
}

}  // namespace attnspan
