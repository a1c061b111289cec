#include "train/inspector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "model/transformer.hpp"
#include "ops/cross_entropy.hpp"
#include "train/batch.hpp"

namespace attnspan {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// A mean that may be of nothing.
struct Mean {
  double sum = 0;
  std::int64_t count = 0;

  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count == 0 ? nothing : sum / static_cast<double>(count); }
};

/// Entropy of weights over the logarithm of their number; those that do not sum to 1 are divided by
/// their sum, negative ones count by their size.
double relative_entropy(std::span<const float> weights) {
  double sum = 0, weighted = 0;
  for (const float weight : weights) {
    const double size = std::abs(static_cast<double>(weight));
    if (size == 0) continue;
    sum += size;
    weighted += size * math::log(size);
  }
  if (!(sum > 0) || weights.size() < 2) return nothing;
  return std::max(0.0, math::log(sum) - weighted / sum) /
         math::log(static_cast<double>(weights.size()));
}

/// Everything that is summed up of one head.
struct HeadSums {
  Mean entropy, support, support_share, answer_weight, score_range;
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  std::vector<double> scales;
  std::vector<double> output;  ///< sum
  double squares = 0;          ///< of the outputs' lengths
  std::int64_t outputs = 0;

  void add(const AttentionRow<float>& row) {
    const auto keys = static_cast<double>(row.weights.size());
    if (row.weights.size() > 1) entropy.add(relative_entropy(row.weights));
    const auto used = static_cast<double>(
        std::count_if(row.weights.begin(), row.weights.end(), [](float w) { return w != 0; }));
    support.add(used);
    support_share.add(used / keys);
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const float score : row.scores) {
      if (!std::isfinite(score)) continue;  // hidden
      low = std::min<double>(low, score);
      high = std::max<double>(high, score);
    }
    if (low <= high) score_range.add(high - low);
    lowest = std::min(lowest, low);
    highest = std::max(highest, high);
    scales.push_back(row.scale);
    output.resize(row.output.size());
    for (std::size_t i = 0; i < output.size(); ++i) {
      const double number = row.output[i];
      output[i] += number;
      squares += number * number;
    }
    ++outputs;
  }

  OutputReference::Head reference() const {
    OutputReference::Head head{output, nothing};
    if (outputs == 0) return head;
    const auto count = static_cast<double>(outputs);
    double length = 0;
    for (double& number : head.mean) {
      number /= count;
      length += number * number;
    }
    head.spread = std::sqrt(std::max(0.0, squares / count - length));
    return head;
  }

  HeadFigures figures(const OutputReference::Head* at_training_length) {
    HeadFigures head;
    head.entropy = entropy.value();
    head.support = support.value();
    head.support_share = support_share.value();
    head.answer_weight = answer_weight.value();
    head.score_range = score_range.value();
    head.lowest_score = lowest;
    head.highest_score = highest;
    std::sort(scales.begin(), scales.end());
    constexpr double shares[] = {0, 0.05, 0.5, 0.95, 1};
    for (std::size_t i = 0; i < head.scale.size(); ++i)
      head.scale[i] = scales.empty()
                          ? nothing
                          : scales[static_cast<std::size_t>(
                                shares[i] * static_cast<double>(scales.size() - 1) + 0.5)];
    head.mean_drift = head.spread_drift = nothing;
    if (at_training_length == nullptr) return head;
    const OutputReference::Head here = reference();
    double squared = 0;
    for (std::size_t i = 0; i < here.mean.size() && i < at_training_length->mean.size(); ++i) {
      const double apart = here.mean[i] - at_training_length->mean[i];
      squared += apart * apart;
    }
    head.mean_drift = std::sqrt(squared) / at_training_length->spread;
    head.spread_drift = here.spread / at_training_length->spread;
    return head;
  }
};

/// The places of a sample that are looked at, increasing.
std::vector<Index> places_of(const PackedBatch& batch) {
  const Index rows = batch.rows();
  std::vector<Index> places;
  if (rows <= rows_looked_at)
    for (Index row = 0; row < rows; ++row) places.push_back(row);
  else
    for (Index i = 0; i < rows_looked_at; ++i)
      places.push_back((rows - 1) * i / (rows_looked_at - 1));
  places.insert(places.end(), batch.answer_rows.begin(), batch.answer_rows.end());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

/// What is added up while the rows of one sample are shown.
class Look {
 public:
  Look(const ModelConfig& config, Index rows, std::vector<HeadSums>& sums, bool makes_maps)
      : heads_(config.heads), rows_(rows), sums_(sums) {
    if (!makes_maps) return;
    bins_ = std::min<Index>(rows, heat_map_bins);
    maps_.resize(sums.size(), std::vector<double>(static_cast<std::size_t>(bins_ * bins_)));
    rows_of_bin_.resize(sums.size(), std::vector<std::int64_t>(static_cast<std::size_t>(bins_)));
  }

  /// The places that hold the answers of each row that answers.
  std::map<Index, std::vector<std::int32_t>> evidence;

  void add(Index layer, const AttentionRow<float>& row) {
    const auto which = static_cast<std::size_t>(layer * heads_ + row.head);
    HeadSums& sums = sums_[which];
    if (2 * row.place + 2 > rows_) sums.add(row);
    if (const auto held = evidence.find(row.place); held != evidence.end()) {
      double weight = 0;
      for (const std::int32_t place : held->second)
        if (place <= row.place) weight += row.weights[static_cast<std::size_t>(place)];
      sums.answer_weight.add(weight);
    }
    if (bins_ == 0) return;
    const Index bin = row.place * bins_ / rows_;
    ++rows_of_bin_[which][static_cast<std::size_t>(bin)];
    double* const of_bin = maps_[which].data() + bin * bins_;
    for (std::size_t key = 0; key < row.weights.size(); ++key)
      of_bin[static_cast<Index>(key) * bins_ / rows_] += row.weights[key];
  }

  void finish(Inspected& inspected) const {
    inspected.bins = bins_;
    for (std::size_t which = 0; which < maps_.size(); ++which) {
      HeatMap& map = inspected.maps.emplace_back();
      for (std::size_t i = 0; i < maps_[which].size(); ++i)
        map.weight.push_back(
            maps_[which][i] /
            static_cast<double>(rows_of_bin_[which][i / static_cast<std::size_t>(bins_)]));
    }
  }

 private:
  Index heads_, rows_, bins_ = 0;
  std::vector<HeadSums>& sums_;
  std::vector<std::vector<double>> maps_;
  std::vector<std::vector<std::int64_t>> rows_of_bin_;
};

}  // namespace

Inspected inspect(const ModelConfig& config, std::span<const float> weights, const Task& task,
                  const EvaluationRequest& request, const OutputReference* reference,
                  const std::atomic<bool>* stop) {
  const Transformer<float> model(config);
  const auto layers = static_cast<std::size_t>(config.layers);
  std::vector<HeadSums> sums(layers * static_cast<std::size_t>(config.heads));
  Inspected inspected;
  for (std::int64_t index = 0; index < request.samples; ++index) {
    const Sample sample = evaluation_sample(task, request, index);
    const BatchPacker packer(model.positions(), request.seed);
    PackedBatch batch;
    packer.clear(batch);
    packer.add(sample, sample_identity(request, index), batch);
    const std::vector<Index> places = places_of(batch);
    Look look(config, batch.rows(), sums, index == 0);
    for (std::size_t i = 0; i < sample.answers.size(); ++i)
      if (std::vector<std::int32_t> held = task.evidence(sample, i); !held.empty())
        look.evidence[batch.answer_rows[i]] = std::move(held);
    const AlignedVector<float> logits = model.stream_logits(
        weights, batch.tokens, batch.positions, batch.answer_rows,
        {.skip = true,
         .stop = stop,
         .shown = places,
         .show = [&](Index layer, const AttentionRow<float>& row) { look.add(layer, row); }});
    if (logits.empty()) {
      inspected.stopped = true;
      return inspected;
    }
    ++inspected.figures.samples;
    inspected.figures.rows += std::ssize(places);
    if (index > 0) continue;
    look.finish(inspected);
    inspected.tokens = batch.rows();
    inspected.answers = std::ssize(batch.targets);
    for (std::size_t i = 0; i < batch.targets.size(); ++i)
      inspected.right += argmax(logits.data() + static_cast<Index>(i) * config.vocabulary,
                                config.vocabulary) == batch.targets[i]
                             ? 1
                             : 0;
  }
  for (std::size_t which = 0; which < sums.size(); ++which) {
    const OutputReference::Head* const before =
        reference == nullptr ? nullptr : &reference->heads[which];
    inspected.outputs.heads.push_back(sums[which].reference());
    HeadFigures& head = inspected.figures.heads.emplace_back(sums[which].figures(before));
    head.layer = static_cast<std::int64_t>(which) / config.heads;
    head.head = static_cast<std::int64_t>(which) % config.heads;
  }
  return inspected;
}

std::optional<OutputReference> reference_outputs(const ModelConfig& config,
                                                 std::span<const float> weights, const Task& task,
                                                 const EvaluationRequest& request,
                                                 const std::atomic<bool>* stop) {
  try {
    task.check_length(request.length);
  } catch (const InputError&) {
    return std::nullopt;  // another task than the one that was learnt
  }
  Inspected inspected = inspect(config, weights, task, request, nullptr, stop);
  if (inspected.stopped) return std::nullopt;
  return std::move(inspected.outputs);
}

}  // namespace attnspan
