#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "model/transformer.hpp"

namespace attnspan {

/// Learning rate of step 0, 1, ..., steps-1: linear warm-up, then half a cosine down to
/// `final_share` of the peak.
double scheduled_rate(double peak, std::int64_t step, std::int64_t steps, std::int64_t warmup_steps,
                      double final_share);

/// AdamW (Loshchilov and Hutter 2019) over a flat vector, with gradient clipping by the global norm
/// and a moving average of the weights. Works in chunks whose bounds depend on the tensors alone,
/// so the result does not depend on the number of threads.
class Optimizer {
 public:
  struct Settings {
    double beta1, beta2, weight_decay, clip, average;  ///< average: decay, 0 for none
  };

  /// Weight decay reaches the matrices only, not gains and biases.
  Optimizer(const std::vector<PlacedTensor>& tensors, Index parameters, const Settings& settings);

  /// Sums the lanes in a fixed tree and multiplies by `scale`; lane 0 holds the gradient
  /// afterwards. Returns its norm.
  double reduce(std::span<AlignedVector<float>> lanes, float scale) const;

  /// One update, step counted from 0.
  void update(std::span<float> weights, std::span<const float> gradient, double norm, double rate,
              std::int64_t step);

  /// What later steps depend on.
  AlignedVector<float>& first_moment() { return first_; }
  AlignedVector<float>& second_moment() { return second_; }
  AlignedVector<float>& average() { return average_; }  ///< empty without averaging

 private:
  struct Chunk {
    Index begin, end;
    bool decays;
  };
  Settings settings_;
  std::vector<Chunk> chunks_;
  AlignedVector<float> first_, second_, average_;
};

}  // namespace attnspan
