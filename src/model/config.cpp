#include "model/config.hpp"

#include <algorithm>
#include <limits>

#include "attention/variant.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "model/by_layer.hpp"
#include "model/transformer.hpp"
#include "position/position.hpp"
#include "position/randomized.hpp"

namespace attnspan {
namespace {

void bound(const char* what, std::int64_t value, std::int64_t largest) {
  if (value < 1 || value > largest)
    throw InputError(std::string(what) + " must be from 1 to " + std::to_string(largest) +
                     ", not " + std::to_string(value) + ".");
}

/// The text itself, which has to be one of these.
std::string one_of(const char* key, const std::string& text,
                   const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
    unknown_name(key, text, allowed);
  return text;
}

/// Whether a scaler would have a head to scale.
bool scales_any(const AttentionParts<float>& parts, std::int64_t heads) {
  bool any = parts.scaled == ScaledHeads::all;
  for (Index head = 0; head < heads; ++head) any = any || !parts.position->biased(head);
  return any;
}

}  // namespace

void check(const ModelConfig& config) {
  bound("layers", config.layers, most_layers);
  bound("heads", config.heads, most_heads);
  bound("d_model", config.d_model, largest_d_model);
  bound("d_ff", config.d_ff, largest_d_ff);
  bound("the vocabulary", config.vocabulary, largest_vocabulary);
  if (config.head_width != 0) bound("head_width", config.head_width, largest_d_model);
  if (config.heads * config.d_head() > largest_d_model)
    throw InputError("heads times head_width must be at most " + std::to_string(largest_d_model) +
                     ".");
  canonical_output_gate(config.output_gate);
  canonical_feed_forward(config.feed_forward);
  if (!(config.dropout >= 0 && config.dropout < 1))
    throw InputError("dropout must be from 0 to below 1.");
  if (config.head_width == 0 && config.d_model % config.heads != 0)
    throw InputError("heads must divide d_model, but " + std::to_string(config.heads) +
                     " heads do not divide " + std::to_string(config.d_model) +
                     "; change one of them, or give head_width.");
  const auto attentions = by_layer("attention", config.attention, config.layers);
  const auto positions = positions_by_layer(config);
  longest_sequence(config);
  bool scales = false, scales_nothing = false;
  for (std::size_t layer = 0; layer < positions.size(); ++layer) {
    const auto parts = make_parts<float>(layer_shape(config), attentions[layer], positions[layer]);
    if (parts.position->embeds() && positions[layer] != positions[0])
      throw InputError("position " + positions[layer] +
                       " adds to the embedding, so it must be that of the first layer.");
    if (!parts.scaler->at_evaluation().identity())
      (scales_any(parts, config.heads) ? scales : scales_nothing) = true;
  }
  if (scales_nothing && !scales)
    throw InputError("attention " + config.attention + " has a scaler, but under position " +
                     config.position +
                     " no head has scores to scale; give the position scaled=all, or leave the "
                     "scaler out.");
}

std::string canonical_output_gate(const std::string& text) {
  return one_of("output_gate", text, {"none", "head", "element"});
}

std::string canonical_feed_forward(const std::string& text) {
  return one_of("feed_forward", text, {"gelu", "swiglu"});
}

std::string canonical_attention(const std::string& text) {
  return with_names("attention", text,
                    [](const std::string& name) { return attention_variant(name).name; });
}

std::string canonical_position(const std::string& text) {
  for (const Alias& alias : position_aliases())
    if (text == alias.name || text == alias.text) return alias.name;
  const std::string canonical = with_names(
      "position", text, [](const std::string& name) { return position_choice(name).label(); });
  for (const Alias& alias : position_aliases())
    if (canonical == alias.text) return alias.name;
  return canonical;
}

LayerShape layer_shape(const ModelConfig& config) {
  return {config.heads, config.d_head(), config.train_tokens, config.d_model};
}

std::vector<std::string> positions_by_layer(const ModelConfig& config) {
  for (const Alias& alias : position_aliases()) {
    if (config.position != alias.name) continue;
    const auto needed = std::count(alias.text.begin(), alias.text.end(), '~') + 1;
    if (config.layers < needed)
      throw InputError("position " + alias.name + " is made of " + std::to_string(needed) +
                       " layers in turn, but the model has " + std::to_string(config.layers) +
                       "; raise layers, or write a shorter pattern out.");
    return by_layer("position", alias.text, config.layers);
  }
  return by_layer("position", config.position, config.layers);
}

Positions model_positions(const ModelConfig& config) {
  Position reach = 0;
  std::string first;  // of the layers whose encoding looks at positions
  for (const std::string& name : positions_by_layer(config)) {
    const Choice<PositionEntry> choice = position_choice(name);
    if (choice.entry->name == "nope") continue;
    const Position of_layer = randomized_reach(choice);
    if (first.empty()) {
      first = name;
      reach = of_layer;
    } else if (of_layer != reach) {
      throw InputError("positions are the same for all layers, so " + first + " and " + name +
                       " cannot go together; give both the same randomized.");
    }
  }
  return Positions(reach);
}

std::int64_t longest_sequence(const ModelConfig& config) {
  const Position reach = model_positions(config).reach();
  std::int64_t longest = reach > 0 ? reach : std::numeric_limits<Position>::max();
  for (const std::string& name : positions_by_layer(config)) {
    const Position known = make_position<float>(name, layer_shape(config))->known_positions();
    if (reach > known)
      throw InputError("position " + name + " knows " + std::to_string(known) +
                       " positions, fewer than randomized draws from; raise positions.");
    longest = std::min<std::int64_t>(longest, known);
  }
  return longest;
}

std::int64_t parameter_count(const ModelConfig& config) {
  return Transformer<float>(config).parameter_count();
}

}  // namespace attnspan
