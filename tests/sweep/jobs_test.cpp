#include "sweep/jobs.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/parallel.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

double nothing(std::size_t, int) { return 0; }

/// Counts the jobs at work.
class Crowd {
 public:
  void come() {
    const std::lock_guard lock(mutex_);
    most_ = std::max(most_, ++now_);
  }
  void go() {
    const std::lock_guard lock(mutex_);
    --now_;
  }
  int most() const { return most_; }

 private:
  std::mutex mutex_;
  int now_ = 0, most_ = 0;
};

}  // namespace

TEST_CASE("jobs are begun in order and run side by side", "[unit]") {
  for (const std::size_t side_by_side : {1u, 2u, 3u}) {
    INFO(side_by_side << " at a time");
    std::mutex mutex;
    std::vector<std::size_t> begun;
    CHECK(run_jobs({.jobs = side_by_side, .threads = 6}, 7, nothing, nullptr,
                   [&](std::size_t index, const Job& job) {
                     const std::lock_guard lock(mutex);
                     begun.push_back(index);
                     job.take_share();
                     return true;
                   }));
    std::sort(begun.begin(), begun.end());
    CHECK(begun == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6});
    begun.clear();
    // The first waits for the second, wherever there may be one.
    std::atomic<bool> second{false};
    CHECK(run_jobs({.jobs = side_by_side}, 2, nothing, nullptr, [&](std::size_t index, const Job&) {
      if (index == 1) second = true;
      while (index == 0 && side_by_side > 1 && !second) std::this_thread::yield();
      return true;
    }));
  }
}

TEST_CASE("jobs share the threads, and those that are left have more", "[unit]") {
  std::atomic<int> at_start{0}, at_end{0};
  std::atomic<int> begun{0}, ended{0};
  CHECK(run_jobs({.jobs = 2, .threads = 6}, 2, nothing, nullptr,
                 [&](std::size_t index, const Job& job) {
                   ++begun;
                   while (begun < 2) std::this_thread::yield();
                   job.take_share();
                   if (index == 0) {
                     at_start = threads();
                     ++ended;
                     return true;
                   }
                   while (ended < 1 || threads() != 6) {
                     std::this_thread::yield();
                     job.take_share();
                   }
                   at_end = threads();
                   return true;
                 }));
  CHECK(at_start == 3);
  CHECK(at_end == 6);
}

TEST_CASE("jobs that do not fit beside each other wait, and one that fits nowhere runs alone",
          "[unit]") {
  Crowd crowd;
  CHECK(run_jobs(
      {.jobs = 4, .threads = 4, .memory = 10}, 4,
      [](std::size_t index, int) { return index == 2 ? 100.0 : 6.0; }, nullptr,
      [&](std::size_t, const Job&) {
        crowd.come();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        crowd.go();
        return true;
      }));
  CHECK(crowd.most() == 1);
}

TEST_CASE("a job keeps its share of the threads where more would need too much memory", "[unit]") {
  std::atomic<int> begun{0}, most{0};
  CHECK(run_jobs(
      {.jobs = 2, .threads = 6, .memory = 10}, 2,
      [](std::size_t, int threads) { return threads <= 3 ? 5.0 : 11.0; }, nullptr,
      [&](std::size_t index, const Job& job) {
        ++begun;
        while (begun < 2) std::this_thread::yield();
        for (int look = 0; look < (index == 0 ? 1 : 50); ++look) {
          job.take_share();
          most = std::max(most.load(), threads());
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return true;
      }));
  CHECK(most == 3);
}

TEST_CASE("a stop, a job that gives up and an exception end all jobs", "[unit]") {
  const auto wait_for_stop = [](const Job& job) {
    while (!*job.stop()) std::this_thread::yield();
    return false;
  };
  std::atomic<bool> stop{false};
  CHECK_FALSE(run_jobs({.jobs = 2}, 5, nothing, &stop, [&](std::size_t, const Job& job) {
    stop = true;
    return wait_for_stop(job);
  }));
  stop = false;
  std::atomic<int> begun{0};
  CHECK_FALSE(run_jobs({.jobs = 2}, 5, nothing, &stop, [&](std::size_t index, const Job& job) {
    ++begun;
    return index == 0 ? false : wait_for_stop(job);
  }));
  CHECK(begun <= 2);
  CHECK_THROWS_AS(run_jobs({.jobs = 2}, 5, nothing, &stop,
                           [&](std::size_t index, const Job& job) {
                             if (index == 1) throw std::runtime_error("one");
                             return wait_for_stop(job);
                           }),
                  std::runtime_error);
}
