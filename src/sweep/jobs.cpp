#include "sweep/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/parallel.hpp"

namespace attnspan {
namespace {

/// How often the signal to stop is looked for, which comes from a signal handler.
constexpr std::chrono::milliseconds glance{20};

class Crew {
 public:
  Crew(const JobLimits& limits, std::size_t count, const JobBytes& bytes,
       const std::function<bool(std::size_t, const Job&)>& job)
      : limits_(limits), count_(count), bytes_(bytes), job_(job) {}

  bool run(std::size_t workers, const std::atomic<bool>* stop) {
    {
      std::vector<std::jthread> threads;
      try {
        for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        if (threads.empty()) throw;  // otherwise with as many as the system gives
      }
      std::unique_lock lock(mutex_);
      while (finished_ < count_ && !(ended_ && at_work_.empty())) {
        changed_.wait_for(lock, glance);
        if (stop && *stop) end();
      }
      end();
    }
    if (failure_) std::rethrow_exception(failure_);
    return finished_ == count_;
  }

 private:
  void end() {
    ended_ = true;
    changed_.notify_all();
  }

  int even_share(std::size_t jobs) const {
    return std::max(1, limits_.threads / static_cast<int>(jobs));
  }

  bool fit(const std::vector<std::size_t>& jobs, int share) const {
    double bytes = 0;
    for (const std::size_t index : jobs) bytes += bytes_(index, share);
    return bytes <= limits_.memory;
  }

  bool can_begin() const {
    std::vector<std::size_t> jobs = at_work_;
    jobs.push_back(next_);
    return at_work_.empty() || fit(jobs, even_share(jobs.size()));
  }

  /// The share that those have who were at work before goes on where more does not fit.
  void share_out() {
    if (at_work_.empty()) return;
    if (const int share = even_share(at_work_.size()); fit(at_work_, share)) share_ = share;
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ended_ || next_ == count_ || can_begin(); });
      if (ended_ || next_ == count_) return;
      const std::size_t index = next_++;
      at_work_.push_back(index);
      share_out();
      lock.unlock();
      const bool done = attempt(index);
      lock.lock();
      std::erase(at_work_, index);
      share_out();
      if (done)
        ++finished_;
      else
        end();
      changed_.notify_all();
    }
  }

  bool attempt(std::size_t index) {
    const Job job(&ended_, &share_);
    try {
      job.take_share();
      return job_(index, job);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      return false;
    }
  }

  const JobLimits& limits_;
  const std::size_t count_;
  const JobBytes& bytes_;
  const std::function<bool(std::size_t, const Job&)>& job_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> ended_{false};
  std::atomic<int> share_{1};  ///< threads of each job
  std::vector<std::size_t> at_work_;
  std::size_t next_ = 0, finished_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void Job::take_share() const {
  if (share_) set_threads(*share_);
}

bool run_jobs(const JobLimits& limits, std::size_t count, const JobBytes& bytes,
              const std::atomic<bool>* stop,
              const std::function<bool(std::size_t, const Job&)>& job) {
  const std::size_t workers = std::min(limits.jobs, count);
  if (workers > 1) return Crew(limits, count, bytes, job).run(workers, stop);
  const Job alone(stop, nullptr);
  for (std::size_t index = 0; index < count; ++index)
    if ((stop && *stop) || !job(index, alone)) return false;
  return true;
}

}  // namespace attnspan
