#include "core/parallel.hpp"

#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/training.hpp"

using namespace attnspan;

TEST_CASE("a loop calls its body once for every index, on any number of threads", "[property]") {
  for (const int count : {1, 2, 3, 7}) {
    INFO(count << " threads");
    const Threads set(count);
    CHECK(threads() == count);
    // One loop after the other: what is late for one must not do the work of the next.
    for (Index size = 0; size < 300; ++size) {
      std::vector<int> calls(static_cast<std::size_t>(size)), numbers(calls.size());
      parallel_for(size, [&](Index i) {
        ++calls[static_cast<std::size_t>(i)];
        numbers[static_cast<std::size_t>(i)] = thread_number();
      });
      for (std::size_t i = 0; i < calls.size(); ++i) {
        REQUIRE(calls[i] == 1);
        REQUIRE((numbers[i] >= 0 && numbers[i] < count));
      }
    }
  }
}

TEST_CASE("a loop within a loop stays on its thread", "[unit]") {
  const Threads set(3);
  std::atomic<int> calls{0};
  parallel_for(5, [&](Index) {
    const int number = thread_number();
    calls += threads() == 3 ? 1 : 0;
    parallel_for(4, [&](Index) { calls += thread_number() == number ? 1 : 0; });
  });
  CHECK(calls == 25);
}

TEST_CASE("work is not shared while every thread has its own", "[unit]") {
  const Threads set(3);
  std::atomic<int> begun{0}, ended{0}, calls{0}, waits{0}, idle{0};
  parallel_for(3, [&](Index) {
    ++begun;
    waits += comes_true([&] { return begun == 3; }) ? 1 : 0;
    idle += has_idle_threads() ? 1 : 0;
    const int number = thread_number();
    share_with_idle(4, [&](Index) { calls += thread_number() == number ? 1 : 0; });
    ++ended;
    waits += comes_true([&] { return ended == 3; }) ? 1 : 0;
  });
  CHECK(calls == 12);
  CHECK(waits == 6);
  CHECK(idle == 0);
}

TEST_CASE("who has nothing to do takes part in what is shared", "[unit]") {
  const Threads set(3);
  CHECK_FALSE(has_idle_threads());
  constexpr int inner = 100;
  std::vector<std::atomic<int>> calls(inner);
  std::atomic<int> there{0}, met{0}, idle{0};
  parallel_for(2, [&](Index outer) {
    if (outer == 0) return;
    idle += comes_true([] { return has_idle_threads(); }) ? 1 : 0;
    // No call ends before each of the three threads is in one.
    std::vector<std::atomic<bool>> seen(3);
    share_with_idle(inner, [&](Index i) {
      ++calls[static_cast<std::size_t>(i)];
      if (!seen[static_cast<std::size_t>(thread_number())].exchange(true)) ++there;
      met += comes_true([&] { return there == 3; }) ? 1 : 0;
    });
  });
  CHECK(idle == 1);
  CHECK(there == 3);
  CHECK(met == inner);
  for (const std::atomic<int>& count : calls) CHECK(count == 1);
}

TEST_CASE("what is shared within what is shared is done once", "[property]") {
  for (const int count : {1, 2, 3, 7}) {
    INFO(count << " threads");
    const Threads set(count);
    for (Index round = 0; round < 60; ++round) {
      const Index a = 1 + round % 4, b = round % 5, c = 1 + round % 3;
      std::vector<int> calls(static_cast<std::size_t>(a * b * c));
      parallel_for(a, [&](Index i) {
        // Some end early and then help the rest.
        if (i == 0 && round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
        share_with_idle(b, [&](Index j) {
          share_with_idle(c,
                          [&](Index k) { ++calls[static_cast<std::size_t>((i * b + j) * c + k)]; });
        });
      });
      REQUIRE(calls == std::vector<int>(calls.size(), 1));
    }
  }
}

TEST_CASE("what a helper throws comes out where the work was shared", "[unit]") {
  const Threads set(3);
  std::atomic<int> idle{0}, caught{0}, calls{0};
  for (int round = 0; round < 20; ++round)
    parallel_for(2, [&](Index outer) {
      if (outer == 0) return;
      idle += comes_true([] { return has_idle_threads(); }) ? 1 : 0;
      const int owner = thread_number();
      std::atomic<bool> helped{false};
      try {
        share_with_idle(8, [&](Index) {
          if (thread_number() == owner) {
            comes_true([&] { return helped.load(); });
            return;
          }
          helped = true;
          throw std::runtime_error("of a helper");
        });
      } catch (const std::runtime_error&) {
        ++caught;
      }
      share_with_idle(8, [&](Index) { ++calls; });
    });
  CHECK(idle == 20);
  CHECK(caught == 20);
  CHECK(calls == 160);
}

TEST_CASE("threads are let go at any moment", "[property]") {
  const Threads before(2);
  std::atomic<int> calls{0};
  for (int round = 0; round < 3000; ++round) {
    set_threads(7 + round % 2);  // makes the next loop let go of the threads of the last
    parallel_for(3, [&](Index) { ++calls; });
  }
  CHECK(calls == 9000);
}

TEST_CASE("the first exception of a loop comes out, and the next loop is whole", "[unit]") {
  for (const int count : {1, 4}) {
    const Threads set(count);
    for (int round = 0; round < 20; ++round) {
      CHECK_THROWS_AS(parallel_for(8,
                                   [](Index i) {
                                     if (i == 5) throw std::runtime_error("five");
                                   }),
                      std::runtime_error);
      std::atomic<Index> sum{0};
      parallel_for(8, [&](Index i) { sum += i; });
      CHECK(sum == 28);
    }
  }
}

TEST_CASE("threads that sleep wake up for the next loop", "[unit]") {
  const Threads set(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    // Neither body ends before the other has begun.
    std::atomic<int> begun{0};
    parallel_for(2, [&](Index) {
      ++begun;
      while (begun < 2) std::this_thread::yield();
    });
    CHECK(begun == 2);
  }
}

TEST_CASE("threads that are not one another's have loops of their own", "[property]") {
  std::vector<Index> sums(3);
  std::vector<std::thread> owners;
  for (std::size_t owner = 0; owner < sums.size(); ++owner)
    owners.emplace_back([&, owner] {
      set_threads(2);
      for (int round = 0; round < 200; ++round) {
        std::atomic<Index> sum{0};
        parallel_for(10, [&](Index i) { sum += i; });
        sums[owner] += sum;
      }
    });
  for (std::thread& owner : owners) owner.join();
  for (const Index sum : sums) CHECK(sum == 45 * 200);
}

TEST_CASE("subnormal numbers are 0 within a loop, and as they were outside", "[unit]") {
  volatile float small = std::numeric_limits<float>::min();
  for (const int count : {1, 3}) {
    INFO(count << " threads");
    const Threads set(count);
    for (const Index size : {1, 40}) {
      std::vector<float> halves(static_cast<std::size_t>(size), 1.0f), products = halves;
      volatile float subnormal = small / 2;
      std::atomic<int> entered{0};
      parallel_for(size, [&](Index i) {
        // Until every thread has taken one, or has had the time to.
        if (size >= count && ++entered < count)
          for (int wait = 0; entered < count && wait < 2000; ++wait)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        halves[static_cast<std::size_t>(i)] = small / 2;
        products[static_cast<std::size_t>(i)] = subnormal * 1e20f;
      });
      CHECK_THROWS_AS(parallel_for(size, [](Index) { throw std::runtime_error("thrown"); }),
                      std::runtime_error);
      CHECK(halves == std::vector<float>(halves.size(), 0.0f));
      CHECK(products == std::vector<float>(products.size(), 0.0f));
      CHECK(small / 2 > 0.0f);
    }
  }
}
