#include "train/cost.hpp"

#include <algorithm>

#include "attention/attention_streaming.hpp"
#include "attention/head_training.hpp"
#include "model/transformer.hpp"
#include "position/position.hpp"
#include "train/division.hpp"

namespace attnspan {
namespace {

double heads_width(const ModelConfig& c) { return static_cast<double>(c.heads * c.d_head()); }

/// Weights that multiply every row of a layer: queries, keys, values, output, feed-forward.
double layer_weights(const ModelConfig& c) {
  const auto d = static_cast<double>(c.d_model);
  const double wide = heads_width(c);
  const double products = c.feed_forward == "swiglu" ? 3 : 2;
  return 4 * d * wide + products * d * static_cast<double>(c.d_ff) +
         (c.output_gate == "element" ? d * wide : 0);
}

/// Heads of each layer that have a bias.
std::vector<double> biased_heads(const ModelConfig& config) {
  std::vector<double> counts;
  for (const std::string& name : positions_by_layer(config)) {
    const auto position = make_position<float>(name, layer_shape(config));
    counts.push_back(0);
    for (Index head = 0; head < config.heads; ++head) counts.back() += position->biased(head);
  }
  return counts;
}

}  // namespace

double training_step_flops(const ModelConfig& config, const Task& task,
                           const TrainingOptions& options) {
  const auto tokens =
      static_cast<double>(task.total_tokens(options.train_length, Purpose::training));
  const auto layers = static_cast<double>(config.layers), d = static_cast<double>(config.d_model);
  const double weights = layers * layer_weights(config) + d * config.vocabulary;
  const double visible = (tokens + 1) / 2;
  return static_cast<double>(options.batch_size) * tokens *
         (6 * weights + 12 * heads_width(config) * visible * layers);
}

double mean_training_step_flops(const ModelConfig& config, const Task& task,
                                const TrainingOptions& options) {
  constexpr int most = 32;  // lengths that are worked out
  const std::int64_t further = options.train_length - options.min_train_length;
  const auto lengths = static_cast<int>(std::min<std::int64_t>(further + 1, most));
  double flops = 0;
  for (int i = 0; i < lengths; ++i) {
    TrainingOptions of_length = options;
    of_length.train_length -= lengths > 1 ? further * i / (lengths - 1) : 0;
    flops += training_step_flops(config, task, of_length);
  }
  return flops / lengths;
}

double evaluation_flops(const ModelConfig& config, const Task& task, std::int64_t length) {
  const auto n = static_cast<double>(task.total_tokens(length, Purpose::evaluation));
  const auto answers = static_cast<double>(task.answer_tokens(length, Purpose::evaluation));
  const auto d = static_cast<double>(config.d_model), head = static_cast<double>(config.d_head());
  const std::vector<double> biased_by_layer = biased_heads(config);
  // Heads with a distance bias look back over a few hundred keys; others over all of them, or in
  // the first layer over the distinct tokens.
  const double near = std::min(n / 2, 512.0);
  double flops = answers * 2 * d * config.vocabulary;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const double biased = biased_by_layer[static_cast<std::size_t>(layer)];
    const double free_heads = static_cast<double>(config.heads) - biased;
    const bool first = layer == 0, last = layer + 1 == config.layers;
    const double queries = last ? answers : n;
    const double far =
        first ? std::min(n / 2, static_cast<double>(config.vocabulary)) : (last ? n : n / 2);
    const double keys = 2 * d * heads_width(config);  // and values
    flops += n * 2 * keys + queries * 2 * (layer_weights(config) - keys);
    flops += queries * 4 * head * (biased * near + free_heads * far);
  }
  return flops;
}

double training_bytes(const ModelConfig& config, const Task& task, const TrainingOptions& options,
                      int threads) {
  const auto tokens =
      static_cast<double>(task.total_tokens(options.train_length, Purpose::training));
  const auto d = static_cast<double>(config.d_model), ff = static_cast<double>(config.d_ff);
  const auto parameters = static_cast<double>(parameter_count(config));
  // Steps of shorter lengths have no more units.
  const BatchDivision division(options.batch_size, std::max<Index>(1, static_cast<Index>(tokens)));
  // Gradients; weights, two moments, average.
  const double state = static_cast<double>(division.gradients(threads) + 4) * parameters;
  const double rows = tokens * static_cast<double>(division.micro_batch);
  const double wide = heads_width(config);
  const double around = (config.query_key_norm ? 2 * wide : 0) + (config.output_norm ? wide : 0) +
                        (config.output_gate != "none" ? 2 * wide : 0) +
                        (config.feed_forward == "swiglu" ? 2 * ff : 0) +
                        (config.dropout > 0 ? 2 * d : 0);
  const double activations =
      rows * (static_cast<double>(config.layers) *
                  (5 * d + 6 * wide + around + 2 * ff + 4 * static_cast<double>(config.heads)) +
              4 * d + 4 * wide + ff + config.vocabulary);
  const double scratch = 3 * static_cast<double>(training_rows) * tokens;  // scores and weights
  return 4 * (state + threads * (activations + scratch)) + (16 << 20);
}

double evaluation_bytes(const ModelConfig& config, const Task& task, std::int64_t length,
                        int threads) {
  const auto n = static_cast<double>(task.total_tokens(length, Purpose::evaluation));
  const auto answers = static_cast<double>(task.answer_tokens(length, Purpose::evaluation));
  const auto d = static_cast<double>(config.d_model);
  const auto parameters = static_cast<double>(parameter_count(config));
  const double rows = 4 * n * (d + 2 * heads_width(config)) +
                      40 * n;  // stream, keys and values; tokens and positions
  const double selected = 4 * answers * (d + config.vocabulary);
  constexpr auto tile = static_cast<double>(streaming_rows);
  const double copies = 4 * n / tile * config.vocabulary;
  const double candidates = threads * tile * 8 * n;  // dense rows: every key of a tile is kept
  return 4 * 4 * parameters + rows + selected + copies + candidates + (16 << 20);
}

}  // namespace attnspan
