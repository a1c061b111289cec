#include "train/benchmark.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/checksum.hpp"
#include "core/memory.hpp"
#include "core/parallel.hpp"
#include "core/stopwatch.hpp"
#include "model/transformer.hpp"
#include "ops/engine.hpp"
#include "train/batch.hpp"
#include "train/cost.hpp"

namespace attnspan {
namespace {

double seconds_of(const std::function<void()>& work) {
  const Stopwatch stopwatch;
  work();
  return stopwatch.seconds();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<Index>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

/// Gigaflops of multiply-adds in registers alone, on all threads together: their own rates added
/// up. Of threads that share a core some take twice as long, and the others do not wait for them.
double measure_peak() {
  constexpr Index rounds = 1 << 20;  // two milliseconds or so
  std::vector<double> sums(static_cast<std::size_t>(threads())), rates(sums.size());
  parallel_for(static_cast<Index>(sums.size()), [&](Index thread) {
    const auto at = static_cast<std::size_t>(thread);
    rates[at] = 1 / seconds_of([&] { sums[at] = engine().multiply_adds(rounds, 1.0f); });
  });
  return 1e-9 * engine().flops_a_round * static_cast<double>(rounds) *
         std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace

TrainingSpeed measure_training(const ModelConfig& config, std::shared_ptr<const Task> task,
                               const TrainingOptions& options, std::int64_t steps) {
  constexpr std::int64_t warm_up = 3;
  TrainingOptions longest = options;
  longest.min_train_length = options.train_length;
  longest.early_stop = false;
  longest.steps = steps + warm_up;
  longest.validate_every = longest.steps + 1;
  TrainingSpeed speed;
  reset_peak_memory();
  Trainer trainer(config, task, longest);
  const auto step_once = [&] {
    if (trainer.step() == TrainStatus::diverged)
      throw std::runtime_error("training diverged, so that its steps cannot be timed");
  };
  for (std::int64_t i = 0; i < warm_up; ++i) step_once();
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < steps; ++i) {
    seconds.push_back(seconds_of(step_once));
    speed.peak_gflops = std::max(speed.peak_gflops, measure_peak());
  }
  const double step = median(seconds);
  speed.steps = steps;
  speed.tokens_per_step =
      static_cast<double>(trainer.tokens_seen()) / static_cast<double>(trainer.steps_done());
  speed.milliseconds_per_step = 1e3 * step;
  speed.tokens_per_second = speed.tokens_per_step / step;
  speed.gflops = 1e-9 * training_step_flops(config, *task, longest) / step;
  speed.fraction_of_peak = speed.gflops / speed.peak_gflops;
  speed.peak_memory_bytes = peak_memory_bytes();
  return speed;
}

EvaluationSpeed measure_evaluation(const ModelConfig& config, std::span<const float> weights,
                                   const Task& task, std::int64_t length, bool skip,
                                   const std::atomic<bool>* stop) {
  const Transformer<float> model(config);
  Rng rng(0, Stream::benchmark, static_cast<std::uint64_t>(length));
  const BatchPacker packer(model.positions(), 0);
  PackedBatch batch;
  packer.clear(batch);
  packer.add(task.generate(rng, length, Purpose::evaluation), 0, batch);
  reset_peak_memory();
  EvaluationSpeed speed;
  speed.tokens = batch.rows();
  AlignedVector<float> logits;
  speed.seconds = seconds_of([&] {
    logits = model.stream_logits(weights, batch.tokens, batch.positions, batch.answer_rows,
                                 {.skip = skip, .stop = stop});
  });
  speed.peak_memory_bytes = peak_memory_bytes();
  speed.logits_crc32 =
      crc32({reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(float)});
  return speed;
}

}  // namespace attnspan
