// What surrounds the heads: norms, gates, SwiGLU, heads of another width, dropout. Each has its
// gradient, streams what training sees, and leaves no trace where it is off.

#include <cmath>
#include <functional>
#include <set>

#include "core/error.hpp"
#include "support/containing.hpp"
#include "support/gradient.hpp"
#include "support/models.hpp"

using namespace attnspan;

namespace {

struct Setting {
  const char* name;
  std::function<void(ModelConfig&)> apply;
};

const std::vector<Setting>& every_setting() {
  static const std::vector<Setting> settings{
      {"query_key_norm", [](ModelConfig& config) { config.query_key_norm = true; }},
      {"output_norm", [](ModelConfig& config) { config.output_norm = true; }},
      {"output_gate=head", [](ModelConfig& config) { config.output_gate = "head"; }},
      {"output_gate=element", [](ModelConfig& config) { config.output_gate = "element"; }},
      {"feed_forward=swiglu", [](ModelConfig& config) { config.feed_forward = "swiglu"; }},
      {"narrower heads", [](ModelConfig& config) { config.head_width = 2; }},
      {"wider heads", [](ModelConfig& config) { config.head_width = 6; }},
      {"dropout", [](ModelConfig& config) { config.dropout = 0.3; }},
      {"all", [](ModelConfig& config) {
         config.query_key_norm = config.output_norm = true;
         config.output_gate = "element";
         config.feed_forward = "swiglu";
         config.head_width = 6;
         config.dropout = 0.2;
       }}};
  return settings;
}

/// Two encodings that read the layer's input or turn, one layer each.
ModelConfig model_with(const Setting& setting, const std::string& position) {
  ModelConfig config = small_model("asentmax", position);
  setting.apply(config);
  return config;
}

}  // namespace

TEST_CASE("gradient of what surrounds the heads", "[gradient]") {
  for (const Setting& setting : every_setting())
    for (const char* position : {"nape", "fox~rope"}) {
      INFO(setting.name << " under " << position);
      const Transformer<double> model(model_with(setting, position));
      Rng rng = random_numbers(1);
      const PackedBatch batch =
          packed(model, {random_tokens(rng, 9, 11), random_tokens(rng, 30, 11)}, 4);
      AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
      AlignedVector<double> gradient(parameters.size()), unused(parameters.size());
      Workspace<double> workspace;
      const auto loss = [&] {
        return model.loss_and_gradient(parameters, batch, workspace, unused);
      };
      model.loss_and_gradient(parameters, batch, workspace, gradient);
      std::set<std::string> names;
      for (const PlacedTensor& tensor : model.tensors()) {
        const auto offset = static_cast<std::size_t>(tensor.offset),
                   size = static_cast<std::size_t>(tensor.spec.size());
        REQUIRE(names.insert(tensor.spec.name).second);
        check_gradient(tensor.spec.name, std::span<double>(parameters).subspan(offset, size),
                       std::span<const double>(gradient).subspan(offset, size), rng, loss);
      }
    }
}

TEST_CASE("models stream with what surrounds the heads", "[property]") {
  for (const Setting& setting : every_setting())
    for (const char* position : {"nape", "fox~rope"}) {
      INFO(setting.name << " under " << position);
      const Transformer<double> model(model_with(setting, position));
      Rng rng = random_numbers(2);
      const AlignedVector<double> parameters = moved_parameters(model, rng, 0.2);
      const PackedBatch batch = packed(model, {random_tokens(rng, 400, 11)}, 3);
      for (const bool skip : {false, true})
        CHECK(largest_difference(streamed(model, parameters, batch, skip),
                                 model.logits(parameters, batch)) < 1e-10);
    }
}

TEST_CASE("what surrounds the heads does what its formula says", "[unit]") {
  // One token: a head attends to its own value alone, so that norm and gate show in the logits.
  const auto logits = [](const std::function<void(ModelConfig&)>& apply, auto change) {
    ModelConfig config = small_model("softmax", "nope");
    config.layers = 1;
    apply(config);
    const Transformer<double> model(config);
    AlignedVector<double> parameters = model.initial_parameters(1, 0);
    for (const PlacedTensor& tensor : model.tensors())
      for (Index i = 0; i < tensor.spec.size(); ++i) {
        double& number = parameters[static_cast<std::size_t>(tensor.offset + i)];
        if (tensor.spec.name.find("feed_forward.down") != std::string::npos) number = 0;
        change(tensor.spec.name, number);
      }
    return model.logits(parameters, packed(model, {{3}}));
  };
  const auto keep = [](const std::string&, double&) {};
  const auto plain = [](ModelConfig&) {};
  const auto gated = [](ModelConfig& config) { config.output_gate = "head"; };
  // A gate with weights of 0 is half open: half of the output projection.
  CHECK(largest_difference(logits(gated, keep),
                           logits(plain, [](const std::string& name, double& number) {
                             if (name.find("attention.output") != std::string::npos) number /= 2;
                           })) < 1e-12);
  // A normed output does not know the size of the values.
  const auto normed = [](ModelConfig& config) { config.output_norm = true; };
  const auto large_values = [](const std::string& name, double& number) {
    if (name.find("key_value") != std::string::npos) number *= 1000;
  };
  CHECK(
      largest_difference(logits(normed, large_values), logits(normed, [](auto& name, auto& number) {
                           if (name.find("key_value") != std::string::npos) number *= 2000;
                         })) < 1e-6);
  CHECK(largest_difference(logits(plain, large_values), logits(plain, keep)) > 1e-3);
}

TEST_CASE("dropout drops the share asked for, in training alone", "[unit]") {
  ModelConfig config = small_model("softmax", "nape");
  config.dropout = 0.25;
  const Transformer<double> model(config);
  ModelConfig without = config;
  without.dropout = 0;
  const Transformer<double> sober(without);
  Rng rng = random_numbers(3);
  const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
  const PackedBatch batch = packed(model, {random_tokens(rng, 200, 11)});
  CHECK(model.logits(parameters, batch) == sober.logits(parameters, batch));
  Workspace<double> workspace;
  AlignedVector<double> unused(parameters.size());
  model.loss_and_gradient(parameters, batch, workspace, unused);
  for (const auto* mask : {&workspace.embedding_mask, &workspace.layers[0].attention_mask,
                           &workspace.layers[1].feed_forward_mask}) {
    double dropped = 0;
    for (const double factor : *mask) {
      REQUIRE((factor == 0 || factor == Approx(1 / 0.75)));
      dropped += factor == 0 ? 1 : 0;
    }
    CHECK(dropped / static_cast<double>(mask->size()) == Approx(0.25).margin(0.03));
  }
  CHECK(workspace.layers[0].attention_mask != workspace.layers[0].feed_forward_mask);
  // Another sequence, or the same one elsewhere in a batch, has its own.
  PackedBatch other = batch;
  other.noise[0] = random_numbers(77);
  CHECK(model.loss_and_gradient(parameters, other, workspace, unused) !=
        model.loss_and_gradient(parameters, batch, workspace, unused));
}

TEST_CASE("settings around the heads are checked", "[unit]") {
  ModelConfig config = small_model("softmax", "nape");
  config.d_model = 15;
  CHECK_THROWS_AS(check(config), InputError);
  config.head_width = 4;
  CHECK_NOTHROW(check(config));
  config.output_gate = "heads";
  CHECK_THROWS_WITH(check(config), containing("did you mean 'head'"));
  config.output_gate = "none";
  config.feed_forward = "swish";
  CHECK_THROWS_AS(check(config), InputError);
  config.feed_forward = "gelu";
  config.dropout = 1;
  CHECK_THROWS_AS(check(config), InputError);
}
