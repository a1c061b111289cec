#include "support/gradient.hpp"

#include <cstring>

#include "support/models.hpp"
#include "support/names.hpp"
#include "support/training.hpp"

using namespace attnspan;

namespace {

void check_model_gradient(const Transformer<double>& model, const PackedBatch& batch,
                          std::uint64_t name) {
  Rng rng = random_numbers(name);
  AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
  Workspace<double> workspace;
  AlignedVector<double> unused(parameters.size());
  // A workspace that has met other sizes before, and a gradient that is added to.
  model.loss_and_gradient(parameters, packed(model, {{1, 2, 3}, {4, 5, 6, 7}}), workspace, unused);
  AlignedVector<double> gradient(parameters.size(), 2);
  const double loss = model.loss_and_gradient(parameters, batch, workspace, gradient);
  for (double& slope : gradient) slope -= 2;
  const auto loss_again = [&] {
    return model.loss_and_gradient(parameters, batch, workspace, unused);
  };
  REQUIRE(loss_again() == loss);
  for (const PlacedTensor& tensor : model.tensors()) {
    const auto offset = static_cast<std::size_t>(tensor.offset),
               size = static_cast<std::size_t>(tensor.spec.size());
    check_gradient(tensor.spec.name, std::span<double>(parameters).subspan(offset, size),
                   std::span<const double>(gradient).subspan(offset, size), rng, loss_again,
                   tensor.spec.may_vanish);
  }
}

}  // namespace

TEST_CASE("gradient of the whole model", "[gradient]") {
  std::uint64_t name = 0;
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    const Transformer<double> model(small_model(attention, position));
    Rng rng = random_numbers(++name);
    const PackedBatch batch =
        packed(model, {random_tokens(rng, 9, 11), random_tokens(rng, 30, 11)}, 4);
    check_model_gradient(model, batch, name);
  }
}

// A sum in a fixed order may then be formed where one of its terms lies.
TEST_CASE("the gradient of what says it is a product is added in one piece", "[property]") {
  for (const Variant& named : every_model()) {
    INFO(named.attention << " under " << named.position);
    const Transformer<float> model(small_model(named.attention, named.position));
    Rng rng = random_numbers(60);
    const AlignedVector<float> parameters = moved_parameters(model, rng, 0.1);
    const auto batch = [&] {
      return packed(model, {random_tokens(rng, 9, 11), random_tokens(rng, 30, 11)}, 4);
    };
    const PackedBatch first = batch(), second = batch();
    Workspace<float> workspace;
    const auto add = [&](const PackedBatch& added, AlignedVector<float>& gradient) {
      model.loss_and_gradient(parameters, added, workspace, gradient);
    };
    AlignedVector<float> one(parameters.size()), other(parameters.size());
    add(first, one);
    add(second, other);
    AlignedVector<float> both = one;
    add(second, both);
    Index products = 0;
    for (const auto& [spec, offset] : model.tensors()) {
      if (!spec.product) continue;
      ++products;
      bool same = true;
      for (auto i = static_cast<std::size_t>(offset);
           i < static_cast<std::size_t>(offset + spec.size()); ++i)
        same = same && both[i] == one[i] + other[i];
      INFO(spec.name);
      CHECK(same);
    }
    CHECK(products >= 5 * model.config().layers + 1);
  }
}

// Products and heads are large enough to be shared; heads write what is theirs alone.
TEST_CASE("a gradient is the same bytes where idle threads take part", "[property]") {
  for (const Variant& named : every_model()) {
    INFO(named.attention << " under " << named.position);
    ModelConfig config = small_model(named.attention, named.position);
    config.d_ff = 128;
    const Transformer<float> model(config);
    Rng rng = random_numbers(70);
    const AlignedVector<float> parameters = moved_parameters(model, rng, 0.1);
    const PackedBatch batch =
        packed(model, {random_tokens(rng, 200, 11), random_tokens(rng, 150, 11)}, 4);
    const auto gradient = [&](AlignedVector<float>& into) {
      Workspace<float> workspace;
      into.assign(parameters.size(), 1);
      return model.loss_and_gradient(parameters, batch, workspace, into);
    };
    AlignedVector<float> alone, shared;
    double loss_alone = 0, loss_shared = 0;
    parallel_for(1, [&](Index) { loss_alone = gradient(alone); });
    CHECK(beside_idle_threads(4, [&] { loss_shared = gradient(shared); }));
    CHECK(loss_shared == loss_alone);
    CHECK(std::memcmp(shared.data(), alone.data(), alone.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("gradient of models of one and of three layers", "[gradient]") {
  for (const std::int64_t layers : {1, 3}) {
    INFO(layers << " layers");
    ModelConfig config = small_model("asentmax", "nape");
    config.layers = layers;
    const Transformer<double> model(config);
    Rng rng = random_numbers(50);
    check_model_gradient(model, packed(model, {random_tokens(rng, 70, 11), {3}}, 5), 51);
  }
}
