#include "train/evaluator.hpp"

#include <algorithm>
#include <bit>

#include "core/mathematics.hpp"
#include "core/parallel.hpp"
#include "model/transformer.hpp"
#include "ops/cross_entropy.hpp"
#include "train/batch.hpp"

namespace attnspan {
namespace {

/// From this many tokens on, threads share the rows of one sample; below, each takes samples. The
/// counts are the same either way.
constexpr std::int64_t shared_from = 2048;

/// What came of one sample.
struct SampleResult {
  Counts counts;
  std::vector<double> shortcut_values;  ///< of the task's metric
  std::optional<ErrorCounts> errors{};
  bool finite = true, stopped = false;
};

/// 1 where a shortcut gets every answer right from the visible tokens alone, else 0.
std::vector<double> try_shortcuts(const std::vector<Shortcut>& shortcuts, const Sample& sample) {
  const std::vector<Token> hidden = hide_answers(sample);
  std::vector<Token> answers;
  for (std::size_t i = 0; i < sample.answers.size(); ++i) answers.push_back(sample.target(i));
  std::vector<double> values;
  for (const Shortcut& shortcut : shortcuts)
    values.push_back(shortcut.solve(hidden, sample.answers) == answers ? 1 : 0);
  return values;
}

/// Bits of each of the last answers by every shortcut, on average.
std::vector<double> shortcut_bits(const std::vector<Shortcut>& shortcuts, const Sample& sample,
                                  std::int64_t last) {
  std::vector<double> values;
  for (const Shortcut& shortcut : shortcuts) {
    PositionSum sum;
    const auto count = std::ssize(sample.answers);
    for (auto i = static_cast<std::size_t>(count - std::min(last, count));
         i < sample.answers.size(); ++i) {
      const auto before =
          std::span(sample.tokens).first(static_cast<std::size_t>(sample.answers[i]));
      sum.add({1, math::log(shortcut.probability(before, sample.target(i)))});
    }
    values.push_back(bits(sum));
  }
  return values;
}

/// The log-likelihoods of a sample's answers: of all, by the tokens before them, and of the last.
/// Of the logits nothing is left.
void sum_by_position(Counts& counts, const Sample& sample, MatrixView<float> logits,
                     std::int64_t last) {
  const auto count = std::ssize(sample.answers);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const Token target = sample.target(place);
    const PositionSum answer{1, -cross_entropy<float>({logits.row(i), 1, logits.cols}, &target)};
    counts.log_likelihood += answer.log_likelihood;
    const auto before = static_cast<std::uint32_t>(sample.answers[place]);
    const auto k = static_cast<std::size_t>(std::bit_width(before - 1));
    if (counts.positions.size() <= k) counts.positions.resize(k + 1);
    counts.positions[k].add(answer);
    if (i >= count - last) counts.last.add(answer);
  }
}

SampleResult evaluate_sample(const Transformer<float>& model, std::span<const float> weights,
                             const Task& task, const std::vector<Shortcut>& shortcuts,
                             const std::optional<Confusions>& confusions,
                             const EvaluationRequest& request, std::int64_t index,
                             const std::atomic<bool>* stop) {
  const Sample sample = evaluation_sample(task, request, index);
  const BatchPacker packer(model.positions(), request.seed);
  PackedBatch batch;
  packer.clear(batch);
  packer.add(sample, sample_identity(request, index), batch);

  SampleResult result;
  AlignedVector<float> logits = model.stream_logits(
      weights, batch.tokens, batch.positions, batch.answer_rows, {.skip = true, .stop = stop});
  if (logits.empty()) {
    result.stopped = true;
    return result;
  }
  const std::int32_t vocabulary = model.config().vocabulary;
  Counts& counts = result.counts;
  counts.samples = 1;
  counts.answer_tokens = static_cast<std::int64_t>(batch.targets.size());
  std::vector<Token> predicted;
  for (std::size_t i = 0; i < batch.targets.size(); ++i) {
    const Index guess = argmax(logits.data() + static_cast<Index>(i) * vocabulary, vocabulary);
    if (guess < 0) result.finite = false;
    counts.right_tokens += guess == batch.targets[i] ? 1 : 0;
    predicted.push_back(static_cast<Token>(guess));
  }
  counts.exact = counts.right_tokens == counts.answer_tokens ? 1 : 0;
  if (sample.depth_decile >= 0) {
    counts.depth.resize(10);
    counts.depth[static_cast<std::size_t>(sample.depth_decile)] = {1, counts.exact};
  }
  const MatrixView<float> rows(logits.data(), counts.answer_tokens, vocabulary);
  if (task.metric().is_likelihood) {
    const std::int64_t last = request.last > 0 ? request.last : counts.answer_tokens;
    sum_by_position(counts, sample, rows, last);
    result.shortcut_values = shortcut_bits(shortcuts, sample, last);
  } else {
    counts.log_likelihood = -cross_entropy<float>(rows, batch.targets.data());
    result.shortcut_values = try_shortcuts(shortcuts, sample);
  }
  if (confusions) result.errors = explain(*confusions, sample, predicted);
  return result;
}

void add(Evaluated& total, const SampleResult& sample, const Metric& metric) {
  total.counts.add(sample.counts);
  total.outcomes.push_back(
      {sample.counts.exact == 1, sample.counts.right_tokens, metric.of(sample.counts)});
  for (std::size_t i = 0; i < sample.shortcut_values.size(); ++i)
    total.shortcuts[i].value += sample.shortcut_values[i];  // divided at the end
  if (sample.errors) total.errors->add(*sample.errors);
  total.finite = total.finite && sample.finite;
}

}  // namespace

std::uint64_t sample_identity(const EvaluationRequest& request, std::int64_t index) {
  return static_cast<std::uint64_t>(request.length) << 32 |
         static_cast<std::uint64_t>(request.first + index);
}

Sample evaluation_sample(const Task& task, const EvaluationRequest& request, std::int64_t index) {
  const std::int64_t count = task.stored_count(request.stream, request.length).value_or(0);
  if (count > 0)
    return task.stored_sample(request.stream, request.length, (request.first + index) % count);
  Rng rng(request.seed, request.stream, sample_identity(request, index),
          static_cast<std::uint64_t>(request.replicate));
  return task.generate(rng, request.length, Purpose::evaluation);
}

ErrorCounts explain(const Confusions& confusions, const Sample& sample,
                    std::span<const Token> predicted) {
  ErrorCounts errors;
  errors.answers = std::ssize(sample.answers);
  errors.guess = confusions.guess;
  for (const std::string& kind : confusions.kinds) errors.kinds.push_back({kind});
  errors.kinds.push_back({confusions.otherwise});
  std::vector<double> weights(confusions.kinds.size());
  for (std::size_t i = 0; i < sample.answers.size(); ++i) {
    const Token right = sample.target(i);
    std::vector<Lure> lures = confusions.lures(sample, i);
    std::erase_if(lures, [&](const Lure& lure) { return lure.token == right; });
    double all = 0;
    std::fill(weights.begin(), weights.end(), 0.0);
    for (const Lure& lure : lures) {
      all += lure.weight;
      for (std::size_t k = 0; k < weights.size(); ++k)
        if ((lure.kinds >> k & 1) != 0) weights[k] += lure.weight;
    }
    if (all > 0) {
      ++errors.places;
      for (std::size_t k = 0; k < weights.size(); ++k) errors.kinds[k].random += weights[k] / all;
    }
    if (predicted[i] == right) continue;
    ++errors.wrong;
    const auto lured = std::find_if(lures.begin(), lures.end(),
                                    [&](const Lure& lure) { return lure.token == predicted[i]; });
    if (lured == lures.end()) ++errors.kinds.back().wrong;
    for (std::size_t k = 0; k < weights.size() && lured != lures.end(); ++k)
      errors.kinds[k].wrong += lured->kinds >> k & 1;
  }
  return errors;
}

Evaluated evaluate(const ModelConfig& config, std::span<const float> weights, const Task& task,
                   const EvaluationRequest& request, const std::atomic<bool>* stop,
                   const std::function<void(std::int64_t)>& on_sample) {
  const Transformer<float> model(config);
  const Metric& metric = task.metric();
  const std::vector<Shortcut> shortcuts =
      request.shortcuts ? task.shortcuts() : std::vector<Shortcut>{};
  const std::optional<Confusions> confusions =
      request.errors ? task.confusions() : std::optional<Confusions>{};
  Evaluated total;
  if (confusions) total.errors.emplace();
  for (const Shortcut& shortcut : shortcuts) total.shortcuts.push_back({shortcut.name});
  const bool shared = task.total_tokens(request.length, Purpose::evaluation) >= shared_from;
  const std::int64_t round = shared ? 1 : std::min<std::int64_t>(64, request.samples);
  std::vector<SampleResult> results;
  for (std::int64_t first = 0; first < request.samples; first += round) {
    results.assign(static_cast<std::size_t>(std::min(round, request.samples - first)), {});
    const auto sample = [&](Index i) {
      results[static_cast<std::size_t>(i)] =
          evaluate_sample(model, weights, task, shortcuts, confusions, request, first + i, stop);
    };
    if (shared)
      sample(0);
    else
      parallel_for(static_cast<Index>(results.size()), sample);
    for (const SampleResult& done : results) {
      if (done.stopped) {
        total.stopped = true;
        return total;
      }
      add(total, done, metric);
    }
    if (on_sample) on_sample(total.counts.samples);
  }
  for (ShortcutScore& shortcut : total.shortcuts)
    shortcut.value /= static_cast<double>(std::max<std::int64_t>(1, total.counts.samples));
  return total;
}

}  // namespace attnspan
