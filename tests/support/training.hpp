#pragma once

#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "core/parallel.hpp"
#include "support/numbers.hpp"
#include "train/trainer.hpp"

/// Sets the number of threads and puts it back.
class Threads {
 public:
  explicit Threads(int count) : before_(attnspan::threads()) { attnspan::set_threads(count); }
  ~Threads() { attnspan::set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

/// Waits for it, but not for ever; whether it came true.
template <class Condition>
bool comes_true(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Calls the body within a loop whose other threads have nothing to do; false if they always had.
template <class Body>
bool beside_idle_threads(int threads, const Body& body) {
  const Threads set(threads);
  bool idle = false;
  attnspan::parallel_for(2, [&](attnspan::Index i) {
    if (i == 0) return;
    idle = comes_true([] { return attnspan::has_idle_threads(); });
    body();
  });
  return idle;
}

/// A model, a task and options that train in a blink.
struct SmallRun {
  attnspan::ModelConfig config;
  attnspan::NamedTask task;
  attnspan::TrainingOptions options;

  explicit SmallRun(const std::string& task_name, const std::string& attention = "asentmax",
                    const std::string& position = "nape")
      : task(attnspan::make_task(task_name)) {
    config.layers = 2;
    config.heads = 4;
    config.d_model = 16;
    config.d_ff = 32;
    config.vocabulary = task.task->vocabulary_size();
    config.attention = attention;
    config.position = position;
    options.train_length = 8;
    options.steps = 12;
    options.batch_size = 48;
    options.learning_rate = 5e-3;
    options.warmup_steps = 3;
    options.weight_average = 0.9;
    options.early_stop = false;
    options.seed = 5;
  }

  attnspan::Trainer trainer() const { return attnspan::Trainer(config, task.task, options); }

  /// Trains to the end.
  attnspan::Trainer trained() const {
    attnspan::Trainer result = trainer();
    while (result.step() == attnspan::TrainStatus::running) {
    }
    return result;
  }
};

inline std::vector<float> weights_of(const attnspan::Trainer& trainer) {
  return {trainer.weights().begin(), trainer.weights().end()};
}
