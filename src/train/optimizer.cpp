#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.hpp"

namespace attnspan {

double scheduled_rate(double peak, std::int64_t step, std::int64_t steps, std::int64_t warmup_steps,
                      double final_share) {
  if (step < warmup_steps)
    return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double done = static_cast<double>(step - warmup_steps) /
                      static_cast<double>(std::max<std::int64_t>(1, steps - warmup_steps));
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
  return peak * (final_share + (1 - final_share) * cosine);
}

Optimizer::Optimizer(const std::vector<PlacedTensor>& tensors, Index parameters,
                     const Settings& settings)
    : settings_(settings) {
  constexpr Index chunk = 8192;
  for (const PlacedTensor& tensor : tensors) {
    const Index end = tensor.offset + tensor.spec.size();
    const bool decays = tensor.spec.rows > 1 && tensor.spec.cols > 1;
    for (Index begin = tensor.offset; begin < end; begin += chunk)
      chunks_.push_back({begin, std::min(end, begin + chunk), decays});
  }
  const auto size = static_cast<std::size_t>(parameters);
  first_.assign(size, 0.0f);
  second_.assign(size, 0.0f);
  if (settings_.average > 0) average_.assign(size, 0.0f);
}

double Optimizer::reduce(std::span<AlignedVector<float>> lanes, float scale) const {
  std::vector<double> squares(chunks_.size());
  parallel_for(static_cast<Index>(chunks_.size()), [&](Index c) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(c)];
    for (std::size_t step = 1; step < lanes.size(); step *= 2)
      for (std::size_t lane = 0; lane + step < lanes.size(); lane += 2 * step) {
        float* into = lanes[lane].data();
        const float* from = lanes[lane + step].data();
#pragma omp simd
        for (Index i = chunk.begin; i < chunk.end; ++i) into[i] += from[i];
      }
    float* gradient = lanes[0].data();
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index i = chunk.begin; i < chunk.end; ++i) {
      gradient[i] *= scale;
      sum += gradient[i] * gradient[i];
    }
    squares[static_cast<std::size_t>(c)] = static_cast<double>(sum);
  });
  double total = 0;
  for (const double square : squares) total += square;
  return std::sqrt(total);
}

void Optimizer::update(std::span<float> weights, std::span<const float> gradient, double norm,
                       double rate, std::int64_t step) {
  const auto beta1 = static_cast<float>(settings_.beta1),
             beta2 = static_cast<float>(settings_.beta2);
  const double count = static_cast<double>(step + 1);
  const auto clip = static_cast<float>(norm > settings_.clip ? settings_.clip / norm : 1.0);
  // rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
  const auto pace = static_cast<float>(rate / (1 - std::pow(settings_.beta1, count)));
  const auto unbias = static_cast<float>(1 / (1 - std::pow(settings_.beta2, count)));
  constexpr float epsilon = 1e-8f;
  // The average follows closely at first, so that it does not remember the random start.
  const auto keep = static_cast<float>(std::min(settings_.average, count / (count + 9)));
  parallel_for(static_cast<Index>(chunks_.size()), [&](Index c) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(c)];
    const auto decay = static_cast<float>(chunk.decays ? 1 - rate * settings_.weight_decay : 1.0);
    float* first = first_.data();
    float* second = second_.data();
    float* weight = weights.data();
    const float* slope = gradient.data();
#pragma omp simd
    for (Index i = chunk.begin; i < chunk.end; ++i) {
      const float g = slope[i] * clip;
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      weight[i] = weight[i] * decay - pace * first[i] / (std::sqrt(second[i] * unbias) + epsilon);
    }
    if (average_.empty()) return;
    float* average = average_.data();
#pragma omp simd
    for (Index i = chunk.begin; i < chunk.end; ++i)
      average[i] = keep * average[i] + (1 - keep) * weight[i];
  });
}

}  // namespace attnspan
