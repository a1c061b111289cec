#pragma once

#include <cstdint>

namespace attnspan {

/// How one model is trained. Each member but the last is a key of a sweep's spec.
struct TrainingOptions {
  std::int64_t train_length = 16;     ///< longest training length n
  std::int64_t min_train_length = 0;  ///< shortest; 0 is a quarter of the longest, at least 1
  std::int64_t steps = 1000;
  std::int64_t batch_size = 64;
  double learning_rate = 1e-3;
  std::int64_t warmup_steps = 100;
  double final_learning_rate = 0.05;  ///< share of the rate left at the end of the cosine
  double weight_decay = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double clip = 1.0;                  ///< largest global gradient norm
  double weight_average = 0.999;      ///< decay of the moving average; 0 turns it off
  bool early_stop = false;            ///< end once two validations in a row are perfect
  std::int64_t validate_every = 250;  ///< steps between validations, the points of the curve
  std::int64_t validation_samples = 128;
  std::uint64_t seed = 0;  ///< the sweep's seed: names every stream of samples
  int replicate = 0;       ///< initialisation and training samples differ by it
};

}  // namespace attnspan
