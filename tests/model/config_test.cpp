#include "model/config.hpp"

#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/models.hpp"
#include "support/names.hpp"

using namespace attnspan;

TEST_CASE("parameters are counted by hand", "[unit]") {
  // Embedding 11 x 16, per layer two norms of 16, attention 4 x 16 x 16, feed-forward 2 x 16 x 24,
  // a last norm of 16 and an output of 16 x 11.
  const std::int64_t plain = 2 * 11 * 16 + 2 * (32 + 4 * 256 + 2 * 384) + 16;
  CHECK(parameter_count(small_model("softmax", "nope")) == plain);
  CHECK(parameter_count(small_model("entmax", "rope")) == plain);
  // One scale a head; under NAPE for half of them.
  CHECK(parameter_count(small_model("ssmax", "nope")) == plain + 2 * 4);
  CHECK(parameter_count(small_model("ssmax", "nape")) == plain + 2 * 2);
  // Two projections of 16 and two biases a head.
  CHECK(parameter_count(small_model("asentmax", "nope")) == plain + 2 * 4 * (2 * 16 + 2));
}

TEST_CASE("tensors lie one after another, each with a name of its own", "[unit]") {
  const Transformer<float> model(small_model("asentmax", "nape"));
  std::set<std::string> names;
  Index offset = 0;
  for (const PlacedTensor& tensor : model.tensors()) {
    CHECK(tensor.offset == offset);
    offset += tensor.spec.size();
    CHECK(names.insert(tensor.spec.name).second);
  }
  CHECK(offset == model.parameter_count());
}

TEST_CASE("models that cannot be built are refused", "[unit]") {
  const auto refused = [](auto change) {
    ModelConfig config = small_model("softmax", "rope");
    change(config);
    CHECK_THROWS_AS(check(config), InputError);
    CHECK_THROWS_AS(Transformer<float>(config), InputError);
  };
  CHECK_NOTHROW(check(small_model("softmax", "rope")));
  refused([](ModelConfig& c) { c.layers = 0; });
  refused([](ModelConfig& c) { c.layers = -3; });
  refused([](ModelConfig& c) { c.layers = 1'000'000; });
  refused([](ModelConfig& c) { c.heads = 0; });
  refused([](ModelConfig& c) { c.heads = 3; });
  refused([](ModelConfig& c) { c.heads = 16; });  // width 1 is odd
  refused([](ModelConfig& c) { c.d_model = 0; });
  refused([](ModelConfig& c) { c.d_model = std::int64_t{1} << 40; });
  refused([](ModelConfig& c) { c.d_ff = 0; });
  refused([](ModelConfig& c) { c.vocabulary = 0; });
  refused([](ModelConfig& c) { c.attention = "softmaxx"; });
  refused([](ModelConfig& c) { c.position = "ropes"; });
}

TEST_CASE("starting values depend on seed, replicate and tensor alone", "[unit]") {
  const Transformer<float> model(small_model("softmax", "nape"));
  const AlignedVector<float> start = model.initial_parameters(3, 1);
  CHECK(start == model.initial_parameters(3, 1));
  CHECK(start != model.initial_parameters(4, 1));
  CHECK(start != model.initial_parameters(3, 2));
}

// So that comparisons of variants are paired: what they share, by name and shape, starts alike
// however many other tensors lie before it.
TEST_CASE("variants start equal wherever they have the same tensors", "[unit]") {
  const auto start_of = [](const Transformer<float>& model) {
    std::map<std::string, std::vector<float>> tensors;
    const AlignedVector<float> start = model.initial_parameters(3, 1);
    for (const PlacedTensor& tensor : model.tensors()) {
      const auto first = start.begin() + tensor.offset;
      tensors[tensor.spec.name].assign(first, first + tensor.spec.size());
    }
    return tensors;
  };
  const auto plain = start_of(Transformer<float>(small_model("softmax", "nope")));
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    const auto tensors = start_of(Transformer<float>(small_model(attention, position)));
    for (const auto& [name, numbers] : plain) {
      INFO(name);
      REQUIRE(tensors.count(name) == 1);
      if (tensors.at(name).size() == numbers.size()) CHECK(tensors.at(name) == numbers);
    }
  }
  // Tensors of one shape and deviation do not start alike.
  CHECK(plain.at("layer0.feed_forward.up") != plain.at("layer1.feed_forward.up"));
}

TEST_CASE("starting values have the spread that the tensors ask for", "[property]") {
  ModelConfig config = small_model("asentmax", "nope");
  config.d_model = 64;
  const Transformer<double> model(config);
  const AlignedVector<double> start = model.initial_parameters(1, 0);
  for (const PlacedTensor& tensor : model.tensors()) {
    INFO(tensor.spec.name);
    double sum = 0, squares = 0;
    const auto size = static_cast<double>(tensor.spec.size());
    for (Index i = 0; i < tensor.spec.size(); ++i) {
      const double value = start[static_cast<std::size_t>(tensor.offset + i)];
      sum += value;
      squares += (value - tensor.spec.mean) * (value - tensor.spec.mean);
    }
    CHECK(
        sum / size ==
        Approx(tensor.spec.mean).epsilon(1e-9).margin(5 * tensor.spec.deviation / std::sqrt(size)));
    CHECK(std::sqrt(squares / size) ==
          Approx(tensor.spec.deviation)
              .epsilon(1e-9)
              .margin(5 * tensor.spec.deviation / std::sqrt(2 * size)));
  }
}
