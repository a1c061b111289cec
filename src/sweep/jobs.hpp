#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <limits>

namespace attnspan {

/// What jobs that run side by side may take.
struct JobLimits {
  std::size_t jobs = 1;  ///< how many at a time
  int threads = 1;       ///< of all of them together; each has one at least
  double memory = std::numeric_limits<double>::infinity();  ///< bytes, of all of them together
};

/// Bytes that a job needs on so many threads.
using JobBytes = std::function<double(std::size_t index, int threads)>;

/// A job at work.
class Job {
 public:
  /// share: of the threads; null where the caller has them all.
  Job(const std::atomic<bool>* stop, const std::atomic<int>* share) : stop_(stop), share_(share) {}

  /// Set once the job is to end soon; may be null.
  const std::atomic<bool>* stop() const { return stop_; }

  /// Gives the loops of this thread its share of the threads: more when other jobs have ended.
  void take_share() const;

 private:
  const std::atomic<bool>* stop_;
  const std::atomic<int>* share_;
};

/// Runs job(0) .. job(count - 1), begun in this order, as many side by side as the limits allow:
/// one that needs more memory than those at work leave is begun when they have ended. The threads
/// are shared evenly; what a job that ends leaves goes to the others, if their memory allows it.
/// False when `stop` was set or a job returned false, which ends the others; so does an exception,
/// which is rethrown here once they have. With one job at a time everything happens on the calling
/// thread.
bool run_jobs(const JobLimits& limits, std::size_t count, const JobBytes& bytes,
              const std::atomic<bool>* stop,
              const std::function<bool(std::size_t, const Job&)>& job);

}  // namespace attnspan
