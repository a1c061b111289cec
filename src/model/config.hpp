#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "position/layer_shape.hpp"
#include "position/positions.hpp"

namespace attnspan {

/// The largest sizes that a model may have; the smallest is 1.
inline constexpr std::int64_t most_layers = 256;
inline constexpr std::int64_t most_heads = 1024;
inline constexpr std::int64_t largest_d_model = 65536;
inline constexpr std::int64_t largest_d_ff = 1 << 20;
inline constexpr std::int64_t largest_vocabulary = 1 << 24;

/// The shape of a decoder-only transformer and the names of its parts.
struct ModelConfig {
  std::int64_t layers = 2;
  std::int64_t heads = 8;
  std::int64_t d_model = 64;
  std::int64_t d_ff = 128;
  std::int32_t vocabulary = 0;
  std::string attention = "softmax";  ///< alias or normalizer[:arguments][+scaler[:arguments]]
  std::string position = "nape";      ///< encoding[:arguments]; both may differ by_layer
  std::int64_t head_width = 0;        ///< 0: what the heads share d_model into
  bool query_key_norm = false;        ///< norm the queries and keys of every head
  bool output_norm = false;           ///< norm what the heads attend to
  std::string output_gate = "none";   ///< or head, or element
  std::string feed_forward = "gelu";  ///< or swiglu
  double dropout = 0;                 ///< share of the embedding and of every layer's additions
  std::int64_t train_tokens = 64;  ///< of the longest training sample, which parts may start from

  std::int64_t d_head() const { return head_width > 0 ? head_width : d_model / heads; }
  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

/// Throws InputError with what to change when no such model can be built: unknown names, a width
/// that the heads do not divide, an odd head width under rotary positions, absurd sizes.
void check(const ModelConfig& config);

/// The text itself; throws InputError unless there is such a gate or feed-forward.
std::string canonical_output_gate(const std::string& text);
std::string canonical_feed_forward(const std::string& text);

/// One text for all spellings of what a model's layers have. Throws InputError on unknown names.
std::string canonical_attention(const std::string& text);
std::string canonical_position(const std::string& text);

/// What the parts of its layers are built for.
LayerShape layer_shape(const ModelConfig& config);

/// The encoding of each layer; throws InputError like by_layer.
std::vector<std::string> positions_by_layer(const ModelConfig& config);

/// Which positions the rows of a sequence get: those of the encodings that randomize them. Throws
/// InputError where layers disagree.
Positions model_positions(const ModelConfig& config);

/// Tokens of the longest sequence that the model takes.
std::int64_t longest_sequence(const ModelConfig& config);

/// Number of trained numbers.
std::int64_t parameter_count(const ModelConfig& config);

}  // namespace attnspan
