#include "model/model_file.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "attention/variant.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "model/by_layer.hpp"
#include "model/transformer.hpp"
#include "record/fields.hpp"
#include "record/json.hpp"

namespace attnspan {
namespace {

static_assert(std::endian::native == std::endian::little, "the weights lie in memory as on disk");

constexpr std::size_t length_bytes = 8;
constexpr std::size_t largest_header = 100'000'000;  // as other readers of safetensors have it
constexpr std::size_t most_tensors = 10'000;
constexpr std::int64_t most_train_tokens = 1 << 22;  // parts may take a step for each of them
constexpr const char* format_key = "attnspan_model";
constexpr const char* format_version = "1";

Json to_json(const ModelConfig& config) {
  // Named one by one, so that a further member does not compile until it stands here and below.
  const auto& [layers, heads, d_model, d_ff, vocabulary, attention, position, head_width,
               query_key_norm, output_norm, output_gate, feed_forward, dropout, train_tokens] =
      config;
  return {{"layers", layers},
          {"heads", heads},
          {"d_model", d_model},
          {"d_ff", d_ff},
          {"vocabulary", vocabulary},
          {"attention", attention},
          {"position", position},
          {"head_width", head_width},
          {"query_key_norm", query_key_norm},
          {"output_norm", output_norm},
          {"output_gate", output_gate},
          {"feed_forward", feed_forward},
          {"dropout", dropout},
          {"train_tokens", train_tokens}};
}

/// What each layer has, every argument written out: for programs that know no other names.
Json layers_of(const ModelConfig& config) {
  const auto attentions = by_layer("attention", config.attention, config.layers);
  const auto positions = positions_by_layer(config);
  Json layers = Json::array();
  for (std::size_t layer = 0; layer < attentions.size(); ++layer) {
    const AttentionVariant variant = attention_variant(attentions[layer]);
    layers.push_back({{"normalizer", variant.normalizer.resolved()},
                      {"scaler", variant.scaler.resolved()},
                      {"position", position_choice(positions[layer]).resolved()}});
  }
  return layers;
}

std::string_view bytes_of(const AlignedVector<float>& weights) {
  return {reinterpret_cast<const char*>(weights.data()), weights.size() * sizeof(float)};
}

std::string checksum_of(const AlignedVector<float>& weights) {
  return std::to_string(crc32(bytes_of(weights)));
}

std::size_t byte_count(const TensorSpec& spec) {
  return static_cast<std::size_t>(spec.size()) * sizeof(float);
}

/// A safetensors file in its two parts.
struct Parts {
  Json header;
  std::string_view data;
};

Parts take_apart(std::string_view bytes, const std::string& origin) {
  if (bytes.size() < length_bytes)
    throw InputError(origin + " is no model file: it has " + std::to_string(bytes.size()) +
                     " bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), length_bytes);
  bytes.remove_prefix(length_bytes);
  if (length > largest_header || !bytes.starts_with('{'))
    throw InputError(origin + " is no model file: it does not begin as safetensors do");
  if (length > bytes.size())
    throw InputError(origin + " is cut short: its header has " + std::to_string(length) +
                     " bytes, and " + std::to_string(bytes.size()) + " are there");
  return {parse_json(bytes.substr(0, length), origin + ", header", false, most_tensors),
          bytes.substr(length)};
}

std::map<std::string, std::string> read_metadata(const Json& header, const std::string& origin) {
  std::map<std::string, std::string> metadata;
  if (const auto found = header.find("__metadata__"); found != header.end()) {
    Fields fields(*found, origin + ": __metadata__");
    for (const auto& item : found->items()) metadata[item.key()] = fields.text(item.key());
  }
  const auto version = metadata.find(format_key);
  if (version == metadata.end() || !metadata.contains("model"))
    throw InputError(origin + " holds tensors, but is no model that attnspan saved");
  if (version->second != format_version)
    throw InputError(origin + " is of version " + version->second.substr(0, 20) +
                     " of the format, and this attnspan reads version " + format_version);
  return metadata;
}

ModelConfig read_config(const std::string& text, const std::string& origin) {
  const std::string where = origin + ": model";
  const Json json = parse_json(text, where, false);
  Fields fields(json, where);
  ModelConfig config;
  config.layers = fields.integer("layers", 1, most_layers);
  config.heads = fields.integer("heads", 1, most_heads);
  config.d_model = fields.integer("d_model", 1, largest_d_model);
  config.d_ff = fields.integer("d_ff", 1, largest_d_ff);
  config.vocabulary =
      static_cast<std::int32_t>(fields.integer("vocabulary", 1, largest_vocabulary));
  config.attention = fields.name("attention");
  config.position = fields.name("position");
  // Files of before these were settings have what is the default.
  if (fields.has("head_width")) {
    config.head_width = fields.integer("head_width", 0, largest_d_model);
    config.query_key_norm = fields.boolean("query_key_norm");
    config.output_norm = fields.boolean("output_norm");
    config.output_gate = canonical_output_gate(fields.name("output_gate"));
    config.feed_forward = canonical_feed_forward(fields.name("feed_forward"));
    config.dropout = fields.number("dropout", 0, 1);
    config.train_tokens = fields.integer("train_tokens", 1, most_train_tokens);
  }
  fields.finish();
  return config;
}

/// Copies a tensor to its place among the weights; returns where in the data it lies.
std::pair<std::size_t, std::size_t> take_tensor(const Json& json, const std::string& path,
                                                std::string_view data, const PlacedTensor& tensor,
                                                AlignedVector<float>& weights) {
  Fields fields(json, path);
  const TensorSpec& spec = tensor.spec;
  if (fields.text("dtype") != "F32") fields.fail("dtype", "must be F32");
  if (fields.array("shape") != Json{spec.rows, spec.cols})
    fields.fail("shape", "must be [" + std::to_string(spec.rows) + ", " +
                             std::to_string(spec.cols) + "], as the model has it");
  const Json& offsets = fields.array("data_offsets");
  const auto offset = [&](std::size_t i) {
    const bool fine = offsets.size() == 2 && offsets[i].is_number_unsigned();
    return fine ? offsets[i].get<std::uint64_t>() : data.size() + 1;
  };
  const std::uint64_t begin = offset(0), end = offset(1);
  if (begin > end || end > data.size() || end - begin != byte_count(spec))
    fields.fail("data_offsets", "must be where its " + std::to_string(byte_count(spec)) +
                                    " bytes begin and end among the " +
                                    std::to_string(data.size()) + " of the file");
  fields.finish();
  float* place = weights.data() + tensor.offset;
  std::memcpy(place, data.data() + begin, byte_count(spec));
  if (!std::all_of(place, place + spec.size(), [](float weight) { return std::isfinite(weight); }))
    throw InputError(path + " has a weight that is not a finite number");
  return {begin, end};
}

AlignedVector<float> take_weights(const Parts& parts, const ModelConfig& config,
                                  const std::string& origin) {
  const Transformer<float> model(config);
  const std::vector<PlacedTensor>& tensors = model.tensors();
  const auto needed = static_cast<std::size_t>(model.parameter_count()) * sizeof(float);
  if (parts.data.size() != needed)
    throw InputError(origin + " has " + std::to_string(parts.data.size()) +
                     " bytes of weights, and its model needs " + std::to_string(needed));
  std::vector<std::string> names;
  for (const PlacedTensor& tensor : tensors) names.push_back(tensor.spec.name);
  for (const auto& item : parts.header.items())
    if (item.key() != "__metadata__" &&
        std::find(names.begin(), names.end(), item.key()) == names.end())
      throw InputError(origin + " has the tensor '" + item.key().substr(0, 80) +
                       "', which its model has not");

  AlignedVector<float> weights(static_cast<std::size_t>(model.parameter_count()));
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const PlacedTensor& tensor : tensors) {
    const auto found = parts.header.find(tensor.spec.name);
    if (found == parts.header.end())
      throw InputError(origin + " lacks the tensor " + tensor.spec.name);
    places.push_back(
        take_tensor(*found, origin + ": " + tensor.spec.name, parts.data, tensor, weights));
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i)
    if (places[i].first != places[i - 1].second)
      throw InputError(origin + " has tensors that share bytes");
  return weights;
}

}  // namespace

std::string model_bytes(const SavedModel& model) {
  std::map<std::string, std::string> metadata = model.metadata;
  metadata[format_key] = format_version;
  metadata["model"] = to_line(to_json(model.config));
  metadata["layers"] = to_line(layers_of(model.config));
  metadata["weights_crc32"] = checksum_of(model.weights);
  Json header{{"__metadata__", metadata}};
  std::size_t begin = 0;
  const Transformer<float> transformer(model.config);
  for (const PlacedTensor& tensor : transformer.tensors()) {
    const std::size_t end = begin + byte_count(tensor.spec);
    header[tensor.spec.name] = {{"dtype", "F32"},
                                {"shape", {tensor.spec.rows, tensor.spec.cols}},
                                {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = to_line(header);
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), length_bytes);
  return bytes.append(text).append(bytes_of(model.weights));
}

SavedModel read_model(std::string_view bytes, const std::string& origin) {
  const Parts parts = take_apart(bytes, origin);
  SavedModel model;
  model.metadata = read_metadata(parts.header, origin);
  model.config = read_config(model.metadata.at("model"), origin);
  try {
    check(model.config);
  } catch (const InputError& error) {
    throw InputError(origin + ": " + error.what());
  }
  model.weights = take_weights(parts, model.config, origin);
  if (const auto checksum = model.metadata.find("weights_crc32");
      checksum != model.metadata.end() && checksum->second != checksum_of(model.weights))
    throw InputError(origin +
                     " has weights that do not match its checksum: it is damaged, or was changed "
                     "without leaving weights_crc32 out");
  for (const char* name : {format_key, "model", "layers", "weights_crc32"})
    model.metadata.erase(name);
  return model;
}

}  // namespace attnspan
