#include "model/model_file.hpp"

#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "record/json.hpp"
#include "support/catch.hpp"
#include "support/models.hpp"

using namespace attnspan;

namespace {

SavedModel saved(const std::string& attention = "asentmax", const std::string& position = "nape") {
  SavedModel model;
  model.config = small_model(attention, position);
  Rng rng = random_numbers(3);
  model.weights = moved_parameters(Transformer<float>(model.config), rng, 0.1);
  model.metadata = {{"cell", "{\"any\": \"text\"}"}};
  return model;
}

Json header_of(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  return parse_json(std::string_view(bytes).substr(8, length), "header", false);
}

std::string with_header(const std::string& bytes, const std::string& header) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  const std::uint64_t other = header.size();
  return std::string(reinterpret_cast<const char*>(&other), 8) + header + bytes.substr(8 + length);
}

/// The file with another header.
std::string altered(const std::function<void(Json&)>& change) {
  const std::string bytes = model_bytes(saved());
  Json header = header_of(bytes);
  change(header);
  return with_header(bytes, to_line(header));
}

std::string refusal(std::string_view bytes) {
  try {
    read_model(bytes, "'m'");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

void refused(const std::string& bytes, const std::string& part) {
  const std::string message = refusal(bytes);
  INFO(message);
  INFO(part);
  CHECK(message.find("'m'") != std::string::npos);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("a model comes back as it was saved", "[unit]") {
  for (const char* attention : {"softmax", "ssmax", "asentmax~entmax:1.3", "softmax-sink"})
    for (const char* position : {"nape", "rope", "t5"}) {
      const SavedModel model = saved(attention, position);
      const std::string bytes = model_bytes(model);
      const SavedModel back = read_model(bytes, "m");
      CHECK(back.config == model.config);
      CHECK(back.weights == model.weights);
      CHECK(back.metadata == model.metadata);
      CHECK(model_bytes(back) == bytes);
    }
}

TEST_CASE("a model file is safetensors: aligned, little-endian, its tensors side by side",
          "[unit]") {
  const SavedModel model = saved();
  const std::string bytes = model_bytes(model);
  const Json header = header_of(bytes);
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  CHECK(length % 8 == 0);
  CHECK(bytes.size() == 8 + length + 4 * model.weights.size());
  CHECK(bytes.substr(8, 1) == "{");
  for (const auto& [name, value] : header["__metadata__"].items()) CHECK(value.is_string());
  CHECK(header["embedding"] ==
        Json({{"dtype", "F32"}, {"shape", {11, 16}}, {"data_offsets", {0, 4 * 11 * 16}}}));
  CHECK(header["layer1.feed_forward.up"]["shape"] == Json({16, 24}));
  CHECK(header["output"]["data_offsets"][1] == 4 * model.weights.size());
  float first = 0;
  std::memcpy(&first, bytes.data() + 8 + length, 4);
  CHECK(first == model.weights[0]);
}

TEST_CASE("tensors may come in another order, as other programs write them", "[unit]") {
  const SavedModel model = saved();
  const std::string bytes = model_bytes(model);
  const Json header = header_of(bytes);
  const std::string data = bytes.substr(bytes.size() - 4 * model.weights.size());
  Json turned = Json::object();
  std::string turned_data;
  for (auto item = header.rbegin(); item != header.rend(); ++item) {
    turned[item.key()] = *item;
    if (item.key() == "__metadata__") continue;
    const std::size_t begin = (*item)["data_offsets"][0], end = (*item)["data_offsets"][1];
    const std::size_t at = turned_data.size();
    turned_data += data.substr(begin, end - begin);
    turned[item.key()]["data_offsets"] = {at, turned_data.size()};
  }
  const std::string other =
      with_header(bytes.substr(0, bytes.size() - data.size()), to_line(turned)) + turned_data;
  CHECK(other != bytes);
  CHECK(read_model(other, "m").weights == model.weights);
}

TEST_CASE("a model file that is broken or of something else is refused with a sentence", "[unit]") {
  const std::string bytes = model_bytes(saved());
  CHECK(refusal(bytes) == "accepted");
  refused("", "is no model file: it has 0 bytes");
  refused("{\"task\": \"copy\"}      ", "is no model file");
  refused(std::string(8, '\xff') + "{}", "is no model file");
  refused(with_header(bytes, "[1]"), "is no model file");
  refused(with_header(bytes, "{\"a\": 1, }"), "header, line 1");
  refused(with_header(bytes, "{}"), "no model that attnspan saved");
  refused(with_header(bytes, R"({"__metadata__": {"format": "pt"}})"),
          "no model that attnspan saved");
  for (const std::size_t size : {std::size_t{9}, std::size_t{200}, bytes.size() - 1})
    CHECK(refusal(std::string_view(bytes).substr(0, size)) != "accepted");
  refused(bytes.substr(0, 200), "is cut short");
  refused(bytes.substr(0, bytes.size() - 4), "bytes of weights, and its model needs");
  refused(bytes + "more", "bytes of weights, and its model needs");

  const auto metadata = [](const char* name, const Json& value) {
    return altered([&](Json& header) { header["__metadata__"][name] = value; });
  };
  refused(metadata("attnspan_model", "2"), "version 2");
  refused(metadata("attnspan_model", 1), "must be a text");
  refused(metadata("model", "no"), "model, line 1");
  refused(metadata("weights_crc32", "1"), "do not match its checksum");
  const auto model = [&](const char* name, const Json& value) {
    return altered([&](Json& header) {
      Json config = parse_json(header["__metadata__"]["model"].get<std::string>(), "", false);
      config[name] = value;
      header["__metadata__"]["model"] = to_line(config);
    });
  };
  refused(model("layers", 3), "bytes of weights");
  refused(model("layers", std::int64_t{1} << 60), "model.layers must be");
  refused(model("d_model", 65536), "bytes of weights");
  refused(model("heads", 3), "heads must divide d_model");
  refused(model("attention", "softmix"), "did you mean 'softmax'");
  refused(model("attention", "softmax"), "bytes of weights");
  refused(model("colour", 0.1), "colour");

  const auto tensor = [](const char* name, const char* field, const Json& value) {
    return altered([&](Json& header) { header[name][field] = value; });
  };
  refused(altered([](Json& header) { header.erase("norm"); }), "lacks the tensor norm");
  refused(altered([](Json& header) { header["more"] = header["norm"]; }), "'more'");
  refused(altered([](Json& header) { header["norm"] = 7; }), "norm must be an object");
  refused(tensor("norm", "dtype", "F16"), "norm.dtype must be F32");
  refused(tensor("norm", "shape", {16}), "norm.shape must be [1, 16]");
  refused(tensor("norm", "shape", {16, 1}), "norm.shape must be [1, 16]");
  refused(tensor("norm", "stride", 1), "stride");
  for (const Json& offsets :
       {Json{64, 0}, Json{0, 60}, Json{-64, 0}, Json{0, 64, 128}, Json{0.0, 64.0},
        Json{std::uint64_t(-64), std::uint64_t(0)}, Json{std::uint64_t(-1) - 63, std::uint64_t(-1)},
        Json::array(), Json{4 * 1000000, 4 * 1000000 + 64}})
    refused(tensor("norm", "data_offsets", offsets), "norm.data_offsets must be");
  refused(tensor("norm", "data_offsets", {0, 64}), "share bytes");

  SavedModel wild = saved();
  wild.weights[5] = std::numeric_limits<float>::quiet_NaN();
  refused(model_bytes(wild), "embedding has a weight that is not a finite number");
  std::string flipped = bytes;
  flipped[flipped.size() - 20] = static_cast<char>(flipped[flipped.size() - 20] ^ 1);
  refused(flipped, "do not match its checksum");
  CHECK(refusal(with_header(flipped, [&] {
          Json header = header_of(bytes);
          header["__metadata__"].erase("weights_crc32");
          return to_line(header);
        }())) == "accepted");
}
