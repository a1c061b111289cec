#include "model/config.hpp"

#include "attention/variant.hpp"
#include "core/error.hpp"
#include "model/by_layer.hpp"
#include "model/transformer.hpp"
#include "position/position.hpp"

namespace attnspan {
namespace {

void bound(const char* what, std::int64_t value, std::int64_t largest) {
  if (value < 1 || value > largest)
    throw InputError(std::string(what) + " must be from 1 to " + std::to_string(largest) +
                     ", not " + std::to_string(value) + ".");
}

}  // namespace

void check(const ModelConfig& config) {
  bound("layers", config.layers, most_layers);
  bound("heads", config.heads, most_heads);
  bound("d_model", config.d_model, largest_d_model);
  bound("d_ff", config.d_ff, largest_d_ff);
  bound("the vocabulary", config.vocabulary, largest_vocabulary);
  if (config.d_model % config.heads != 0)
    throw InputError("heads must divide d_model, but " + std::to_string(config.heads) +
                     " heads do not divide " + std::to_string(config.d_model) + ".");
  const auto attentions = by_layer("attention", config.attention, config.layers);
  const auto positions = by_layer("position", config.position, config.layers);
  for (std::size_t layer = 0; layer < positions.size(); ++layer) {
    const auto parts =
        make_parts<float>({config.heads, config.d_head()}, attentions[layer], positions[layer]);
    if (parts.position->embeds() && positions[layer] != positions[0])
      throw InputError("position " + positions[layer] +
                       " adds to the embedding, so it must be that of the first layer.");
  }
}

std::string canonical_attention(const std::string& text) {
  return with_names("attention", text,
                    [](const std::string& name) { return attention_variant(name).name; });
}

std::string canonical_position(const std::string& text) {
  return with_names("position", text,
                    [](const std::string& name) { return position_choice(name).label(); });
}

std::int64_t parameter_count(const ModelConfig& config) {
  return Transformer<float>(config).parameter_count();
}

}  // namespace attnspan
