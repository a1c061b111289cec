#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/mathematics.hpp"
#include "core/parallel.hpp"
#include "ops/engine.hpp"

namespace attnspan {

double scheduled_rate(double peak, std::int64_t step, std::int64_t steps, std::int64_t warmup_steps,
                      double final_share) {
  if (step < warmup_steps)
    return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double done = static_cast<double>(step - warmup_steps) /
                      static_cast<double>(std::max<std::int64_t>(1, steps - warmup_steps));
  const double cosine = 0.5 * (1 + math::cos(std::numbers::pi * std::min(1.0, done)));
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
  const Kernels<float>& all = kernels<float>();
  std::vector<double> squares(chunks_.size());
  parallel_for(static_cast<Index>(chunks_.size()), [&](Index c) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(c)];
    for (std::size_t step = 1; step < lanes.size(); step *= 2)
      for (std::size_t lane = 0; lane + step < lanes.size(); lane += 2 * step)
        all.add(lanes[lane + step].data() + chunk.begin, chunk.end - chunk.begin,
                lanes[lane].data() + chunk.begin);
    float* gradient = lanes[0].data() + chunk.begin;
    all.scale(gradient, chunk.end - chunk.begin, scale);
    squares[static_cast<std::size_t>(c)] =
        all.inner_product(gradient, gradient, chunk.end - chunk.begin);
  });
  double total = 0;
  for (const double square : squares) total += square;
  return std::sqrt(total);
}

void Optimizer::update(std::span<float> weights, std::span<const float> gradient, double norm,
                       double rate, std::int64_t step) {
  const Kernels<float>& all = kernels<float>();
  const double count = static_cast<double>(step + 1);
  const auto clip = static_cast<float>(norm > settings_.clip ? settings_.clip / norm : 1.0);
  // weights = decay weights - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
  const auto pace = static_cast<float>(rate / (1 - math::pow(settings_.beta1, count)));
  const auto unbias = static_cast<float>(1 / (1 - math::pow(settings_.beta2, count)));
  // The average follows closely at first, so that it does not remember the random start.
  const auto keep = static_cast<float>(std::min(settings_.average, count / (count + 9)));
  parallel_for(static_cast<Index>(chunks_.size()), [&](Index c) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(c)];
    const Index at = chunk.begin, size = chunk.end - chunk.begin;
    const AdamStep adam{static_cast<float>(settings_.beta1),
                        static_cast<float>(settings_.beta2),
                        clip,
                        pace,
                        unbias,
                        static_cast<float>(chunk.decays ? 1 - rate * settings_.weight_decay : 1.0)};
    all.adam(adam, gradient.data() + at, size, first_.data() + at, second_.data() + at,
             weights.data() + at);
    if (!average_.empty()) all.average(weights.data() + at, size, keep, average_.data() + at);
  });
}

}  // namespace attnspan
