#include "train/evaluator.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "model/transformer.hpp"
#include "ops/cross_entropy.hpp"
#include "train/batch.hpp"

namespace attnspan {
namespace {

/// From this many tokens on, threads share the rows of one sample; below, each takes samples. The
/// counts are the same either way.
constexpr std::int64_t shared_from = 2048;

struct SampleCounts {
  std::int64_t answers = 0, right = 0;
  int depth_decile = -1;
  bool finite = true, stopped = false;
};

std::uint64_t sample_identity(const EvaluationRequest& request, std::int64_t index) {
  return static_cast<std::uint64_t>(request.length) << 32 |
         static_cast<std::uint64_t>(request.first + index);
}

SampleCounts evaluate_sample(const Transformer<float>& model, std::span<const float> weights,
                             const Task& task, const EvaluationRequest& request, std::int64_t index,
                             const std::atomic<bool>* stop) {
  const Sample sample = evaluation_sample(task, request, index);
  const BatchPacker packer(model.position(), request.seed);
  PackedBatch batch;
  packer.clear(batch);
  packer.add(sample, sample_identity(request, index), batch);

  SampleCounts counts;
  counts.depth_decile = sample.depth_decile;
  const AlignedVector<float> logits = model.stream_logits(
      weights, batch.tokens, batch.positions, batch.answer_rows, {.skip = true, .stop = stop});
  if (logits.empty()) {
    counts.stopped = true;
    return counts;
  }
  const std::int32_t vocabulary = model.config().vocabulary;
  for (std::size_t i = 0; i < batch.targets.size(); ++i) {
    const Index guess = argmax(logits.data() + static_cast<Index>(i) * vocabulary, vocabulary);
    if (guess < 0) counts.finite = false;
    counts.right += guess == batch.targets[i] ? 1 : 0;
    ++counts.answers;
  }
  return counts;
}

void add(EvaluationCounts& total, const SampleCounts& sample) {
  const bool exact = sample.right == sample.answers;
  ++total.samples;
  total.exact += exact ? 1 : 0;
  total.answer_tokens += sample.answers;
  total.right_tokens += sample.right;
  total.finite = total.finite && sample.finite;
  if (sample.depth_decile < 0) return;
  total.depth.resize(10);
  DepthCount& decile = total.depth[static_cast<std::size_t>(sample.depth_decile)];
  ++decile.samples;
  decile.exact += exact ? 1 : 0;
}

}  // namespace

Sample evaluation_sample(const Task& task, const EvaluationRequest& request, std::int64_t index) {
  Rng rng(request.seed, request.stream, sample_identity(request, index),
          static_cast<std::uint64_t>(request.replicate));
  return task.generate(rng, request.length, Purpose::evaluation);
}

EvaluationCounts evaluate(const ModelConfig& config, std::span<const float> weights,
                          const Task& task, const EvaluationRequest& request,
                          const std::atomic<bool>* stop,
                          const std::function<void(std::int64_t)>& on_sample) {
  const Transformer<float> model(config);
  EvaluationCounts total;
  const bool shared = task.total_tokens(request.length, Purpose::evaluation) >= shared_from;
  const std::int64_t round = shared ? 1 : std::min<std::int64_t>(64, request.samples);
  std::vector<SampleCounts> counts;
  for (std::int64_t first = 0; first < request.samples; first += round) {
    counts.assign(static_cast<std::size_t>(std::min(round, request.samples - first)), {});
    const auto sample = [&](Index i) {
      counts[static_cast<std::size_t>(i)] =
          evaluate_sample(model, weights, task, request, first + i, stop);
    };
    if (shared)
      sample(0);
    else
      parallel_for(static_cast<Index>(counts.size()), sample);
    for (const SampleCounts& done : counts) {
      if (done.stopped) {
        total.stopped = true;
        return total;
      }
      add(total, done);
    }
    if (on_sample) on_sample(total.samples);
  }
  return total;
}

}  // namespace attnspan
