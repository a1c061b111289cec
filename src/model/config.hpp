#pragma once

#include <cstdint>
#include <string>

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

  std::int64_t d_head() const { return d_model / heads; }
  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

/// Throws InputError with what to change when no such model can be built: unknown names, a width
/// that the heads do not divide, an odd head width under rotary positions, absurd sizes.
void check(const ModelConfig& config);

/// One text for all spellings of what a model's layers have. Throws InputError on unknown names.
std::string canonical_attention(const std::string& text);
std::string canonical_position(const std::string& text);

/// Number of trained numbers.
std::int64_t parameter_count(const ModelConfig& config);

}  // namespace attnspan
