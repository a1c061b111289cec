#include "position/positions.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/error.hpp"
#include "model/config.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/models.hpp"
#include "support/names.hpp"

using namespace attnspan;

TEST_CASE("positions count, unless they are drawn", "[unit]") {
  Rng rng = random_numbers(1);
  std::vector<Position> positions(5);
  Positions().assign(positions, rng);
  CHECK(positions == std::vector<Position>{0, 1, 2, 3, 4});
  Positions(5).assign(positions, rng);  // all there are
  CHECK(positions == std::vector<Position>{0, 1, 2, 3, 4});
  std::vector<Position> more(6);
  CHECK_THROWS_AS(Positions(5).assign(more, rng), InputError);
}

TEST_CASE("drawn positions rise, stay below the reach and are uniform", "[property]") {
  Rng rng = random_numbers(2);
  constexpr Position reach = 40;
  std::vector<int> met(reach, 0);
  for (int repeat = 0; repeat < 4000; ++repeat) {
    std::vector<Position> positions(10);
    Positions(reach).assign(positions, rng);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      REQUIRE(positions[i] < reach);
      if (i > 0) REQUIRE(positions[i] > positions[i - 1]);
      ++met[static_cast<std::size_t>(positions[i])];
    }
  }
  // 1,000 each, with a deviation of 27.
  for (const int count : met) CHECK(std::abs(count - 1000) < 140);
}

TEST_CASE("randomized positions reach the whole model", "[unit]") {
  const auto config = [](const std::string& position) { return small_model("softmax", position); };
  for (const char* name : {"rope:randomized=90", "sinusoidal:randomized=90", "alibi:randomized=90",
                           "t5:randomized=90", "learned:positions=90,randomized=90"}) {
    INFO(name);
    CHECK(longest_sequence(config(name)) == 90);
    const Transformer<double> model(config(name));
    CHECK(model.positions().reach() == 90);
    Rng rng = random_numbers(3);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
    const PackedBatch batch = packed(model, {random_tokens(rng, 60, 11)}, 3);
    CHECK(batch.positions.back() > 59);
    CHECK(largest_difference(streamed(model, parameters, batch, true),
                             model.logits(parameters, batch)) < 1e-11);
  }
  CHECK(model_positions(config("rope:randomized=90~nope")).reach() == 90);
  CHECK_THROWS_WITH(check(config("rope:randomized=90~nape")),
                    containing("give both the same randomized"));
  CHECK_THROWS_WITH(check(config("learned:positions=80,randomized=90")),
                    containing("fewer than randomized draws from"));
}

TEST_CASE("a model refuses positions that it does not know", "[unit]") {
  const Transformer<double> model(small_model("softmax", "learned:20"));
  CHECK(longest_sequence(model.config()) == 20);
  Rng rng = random_numbers(4);
  const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
  CHECK_NOTHROW(model.logits(parameters, packed(model, {random_tokens(rng, 20, 11)})));
  CHECK_THROWS_WITH(model.logits(parameters, packed(model, {random_tokens(rng, 21, 11)})),
                    "position learned:20 knows 20 positions, but a sequence has 21 tokens.");
}

TEST_CASE("encodings by layer have names", "[unit]") {
  CHECK(canonical_position("swan-gpt") == "swan-gpt");
  for (const Alias& alias : position_aliases()) {
    INFO(alias.name);
    CHECK(canonical_position(alias.text) == alias.name);
    ModelConfig config = small_model("softmax", alias.name);
    CHECK_THROWS_WITH(check(config), containing("raise layers"));
    config.layers = 5;
    check(config);
    const std::vector<std::string> layers = positions_by_layer(config);
    CHECK(layers.size() == 5);
    CHECK(layers[4] == layers[0]);
    CHECK(std::count(layers.begin(), layers.begin() + 4, "nope") == 1);
    const Transformer<double> model(config);
    Rng rng = random_numbers(5);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
    const PackedBatch batch = packed(model, {random_tokens(rng, 300, 11)}, 3);
    CHECK(largest_difference(streamed(model, parameters, batch, true),
                             model.logits(parameters, batch)) < 1e-11);
  }
  CHECK_THROWS_WITH(position_choice("swan-gpt"), containing("stands alone"));
}
