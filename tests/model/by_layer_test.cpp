#include "model/by_layer.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/models.hpp"

using namespace attnspan;

namespace {

using Names = std::vector<std::string>;

ModelConfig three_layers(const std::string& attention, const std::string& position) {
  ModelConfig config = small_model(attention, position);
  config.layers = 3;
  return config;
}

}  // namespace

TEST_CASE("a text says what each layer has", "[unit]") {
  CHECK(by_layer("position", "a", 3) == Names{"a", "a", "a"});
  CHECK(by_layer("position", "a~b", 4) == Names{"a", "b", "b", "b"});
  CHECK(by_layer("position", "a:x=1,y=2:3~b~c", 3) == Names{"a:x=1,y=2:3", "b", "c"});
  CHECK(by_layer("position", "(a~b)", 5) == Names{"a", "b", "a", "b", "a"});
  CHECK(by_layer("position", "c~(a~b)", 4) == Names{"c", "a", "b", "a"});
  CHECK(by_layer("position", "2x(a~b)~c", 6) == Names{"a", "b", "a", "b", "c", "c"});
  CHECK(by_layer("position", "(a~b)", 1) == Names{"a"});
}

TEST_CASE("texts that fit no model are refused", "[unit]") {
  CHECK_THROWS_WITH(by_layer("position", "a~b~c", 2),
                    "position 'a~b~c' names 3 layers, but the model has 2; name fewer or raise "
                    "layers.");
  CHECK_THROWS_AS(by_layer("position", "3x(a~b)~c", 6), InputError);
  for (const char* text : {"a~", "~a", "a~~b", "(a~b", "a)", "2x(a~b)c", "x(a)", "0x(a)", "-1x(a)",
                           "2(a)", "((a))", "12345x(a)", "()"}) {
    INFO(text);
    CHECK_THROWS_AS(by_layer("position", text, 9), InputError);
  }
}

TEST_CASE("layers have one name however they are written", "[unit]") {
  CHECK(canonical_attention("entmax:1.5~softmax+log") == "entmax~ssmax");
  CHECK(canonical_attention("2x(entmax:2~softmax)~entmax+adaptive") ==
        "2x(sparsemax~softmax)~asentmax");
  CHECK(canonical_position("nape:near=half,scaled=all~(nope)") == "nape:scaled=all~(nope)");
  CHECK_THROWS_AS(canonical_position("nape~nap"), InputError);
}

TEST_CASE("models that differ by layer are checked layer by layer", "[unit]") {
  CHECK_NOTHROW(check(three_layers("softmax~ssmax", "nape:near=4~nope")));
  CHECK_THROWS_AS(check(three_layers("softmax~ssmx", "nope")), InputError);
  CHECK_THROWS_AS(check(three_layers("softmax", "nope~nape:near=5")), InputError);
  CHECK_THROWS_AS(check(three_layers("softmax", "nope~nope~nope~nope")), InputError);
}

TEST_CASE("layers have the parts that they are given", "[unit]") {
  const Transformer<float> model(three_layers("softmax~asentmax", "nape:near=4~nape~nope"));
  Index scalers[3] = {0, 0, 0};
  for (const PlacedTensor& tensor : model.tensors())
    for (Index layer = 0; layer < 3; ++layer)
      if (tensor.spec.name == "layer" + std::to_string(layer) + ".attention.scaler.scale_bias")
        scalers[layer] = tensor.spec.cols;
  CHECK(scalers[0] == 0);
  CHECK(scalers[1] == 2);  // the heads of nape without a bias
  CHECK(scalers[2] == 4);
  CHECK(model.attention(0).heads().position().biased(3));
  CHECK_FALSE(model.attention(1).heads().position().biased(3));
}

TEST_CASE("gradient of a model that differs by layer", "[gradient]") {
  const Transformer<double> model(
      three_layers("softmax~entmax+log~asentmax", "rope~nape:near=4~alibi"));
  Rng rng = random_numbers(1);
  AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
  const PackedBatch batch = packed(model, {random_tokens(rng, 40, 11), {3, 1}}, 3);
  Workspace<double> workspace;
  AlignedVector<double> gradient(parameters.size()), unused(parameters.size());
  model.loss_and_gradient(parameters, batch, workspace, gradient);
  check_gradient("all", parameters, gradient, rng,
                 [&] { return model.loss_and_gradient(parameters, batch, workspace, unused); });
}

// Counted heads, of which there are some in a first layer only, and every kind of skipping.
TEST_CASE("models that differ by layer stream what they do at once", "[property]") {
  for (const char* position :
       {"nope~nape:near=2", "nape:near=4~nope", "nape~rope~alibi", "(rope~nope)"})
    for (const char* attention : {"asentmax", "softmax~entmax~ssmax"}) {
      INFO(attention << " under " << position);
      const Transformer<double> model(three_layers(attention, position));
      Rng rng = random_numbers(2);
      const AlignedVector<double> parameters = moved_parameters(model, rng, 0.2);
      const PackedBatch batch = packed(model, {random_tokens(rng, 700, 11)}, 9);
      const AlignedVector<double> expected = model.logits(parameters, batch);
      for (const bool skip : {false, true})
        CHECK(largest_difference(streamed(model, parameters, batch, skip), expected) < 1e-10);
    }
}
