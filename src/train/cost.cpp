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

/// Weights that multiply every row of a layer: queries, keys, values, output, feed-forward. Queries
/// and keys are as many times as wide as the heads as the normalizer has views.
double layer_weights(const ModelConfig& c, double views) {
  const auto d = static_cast<double>(c.d_model);
  const double wide = heads_width(c);
  const double products = c.feed_forward == "swiglu" ? 3 : 2;
  return (2 + 2 * views) * d * wide + products * d * static_cast<double>(c.d_ff) +
         (c.output_gate == "element" ? d * wide
          : c.output_gate == "head"  ? d * static_cast<double>(c.heads)
                                     : 0);
}

/// The heads of each layer.
std::vector<const Heads<float>*> heads_of(const Transformer<float>& model) {
  std::vector<const Heads<float>*> heads;
  for (Index layer = 0; layer < model.config().layers; ++layer)
    heads.push_back(&model.attention(layer).heads());
  return heads;
}

double views_of(const Heads<float>& heads) { return static_cast<double>(heads.views()); }

/// Keys that the rows of a layer's heads look at, added up, of `far` that they see: where a bias
/// fades with the distance some hundreds; in a first layer whose rows are their tokens, where
/// counts do, the distinct ones.
double keys_looked_at(const Heads<float>& heads, double far, double vocabulary, bool first) {
  const HeadStreaming<float> streaming(heads);
  double keys = 0;
  for (Index head = 0; head < heads.shape().heads; ++head) {
    const bool counted = first && !heads.position().embeds() && streaming.countable(head);
    keys += heads.position().fades(head) ? std::min(far, 512.0)
            : counted                    ? std::min(far, vocabulary)
                                         : far;
  }
  return keys;
}

}  // namespace

double training_step_flops(const ModelConfig& config, const Task& task,
                           const TrainingOptions& options) {
  const auto tokens =
      static_cast<double>(task.total_tokens(options.train_length, Purpose::training));
  const double visible = (tokens + 1) / 2;
  double a_token = 6 * static_cast<double>(config.d_model) * config.vocabulary;
  const Transformer<float> model(config);
  for (const Heads<float>* heads : heads_of(model))
    a_token += 6 * layer_weights(config, views_of(*heads)) +
               6 * (views_of(*heads) + 1) * heads_width(config) * visible;
  return static_cast<double>(options.batch_size) * tokens * a_token;
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
  const auto d = static_cast<double>(config.d_model);
  const Transformer<float> model(config);
  double flops = answers * 2 * d * config.vocabulary;
  std::int64_t layer = 0;
  for (const Heads<float>* heads : heads_of(model)) {
    const bool first = layer == 0, last = ++layer == config.layers;
    const double queries = last ? answers : n, views = views_of(*heads);
    const double width = views * static_cast<double>(heads->width() + heads->shape().d_head);
    const double keys = (1 + views) * d * heads_width(config);  // and values
    flops += n * 2 * keys + queries * 2 * (layer_weights(config, views) - keys);
    flops +=
        queries * 2 * width * keys_looked_at(*heads, last ? n : n / 2, config.vocabulary, first);
    // The first head's scores of every row with every key, whoever asks.
    if (HeadStreaming<float>(*heads).selective())
      flops += n * n * static_cast<double>(heads->width());
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
  const Transformer<float> model(config);
  double vectors = 0;  // queries and keys of all layers beyond those as wide as the values
  for (const Heads<float>* heads : heads_of(model))
    vectors += 2 * (views_of(*heads) - 1) * wide +
               3 * (static_cast<double>(heads->total_width()) - wide) +
               static_cast<double>(config.heads * heads->position().features());
  const double around = (config.query_key_norm ? 2 * wide : 0) + (config.output_norm ? wide : 0) +
                        (config.output_gate != "none" ? 2 * wide : 0) +
                        (config.feed_forward == "swiglu" ? 2 * ff : 0) +
                        (config.dropout > 0 ? 2 * d : 0);
  const double activations =
      rows * (static_cast<double>(config.layers) *
                  (5 * d + 6 * wide + around + 2 * ff + 4 * static_cast<double>(config.heads)) +
              vectors + 4 * d + 4 * wide + ff + config.vocabulary);
  const double scratch = 3 * static_cast<double>(training_rows) * tokens;  // scores and weights
  return 4 * (state + threads * (activations + scratch)) + (16 << 20);
}

double evaluation_bytes(const ModelConfig& config, const Task& task, std::int64_t length,
                        int threads) {
  const auto n = static_cast<double>(task.total_tokens(length, Purpose::evaluation));
  const auto answers = static_cast<double>(task.answer_tokens(length, Purpose::evaluation));
  const auto d = static_cast<double>(config.d_model);
  const auto parameters = static_cast<double>(parameter_count(config));
  // Of one layer at a time: keys and values, what the encoding reads, and the input it reads it of.
  double of_layer = 0;
  const Transformer<float> model(config);
  for (const Heads<float>* heads : heads_of(model)) {
    const auto features = static_cast<double>(config.heads * heads->position().features());
    of_layer = std::max(of_layer, static_cast<double>(heads->total_width()) + heads_width(config) +
                                      features + (features > 0 ? d : 0));
  }
  const double rows = 4 * n * (d + of_layer) + 40 * n;  // tokens and positions
  const double selected = 4 * answers * (d + config.vocabulary);
  constexpr auto tile = static_cast<double>(streaming_rows);
  const double copies = 4 * n / tile * config.vocabulary;
  const double candidates = threads * tile * 8 * n;  // dense rows: every key of a tile is kept
  return 4 * 4 * parameters + rows + selected + copies + candidates + (16 << 20);
}

}  // namespace attnspan
