#include <cmath>

#include "core/error.hpp"
#include "position/position.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr PositionShape shape{4, 6};

std::unique_ptr<PositionEncoding<double>> encoding(const std::string& name,
                                                   const PositionShape& of = shape) {
  return make_position<double>(name, of);
}

/// Bias of a key `distance` back, seen from position 1000.
double bias(const PositionEncoding<double>& position, Index head, Position distance) {
  const Position key = 1000 - distance;
  double score = 0;
  position.add_bias(nullptr, head, 1000, &key, 1, &score);
  return score;
}

AlignedVector<double> random_parameters(const PositionEncoding<double>& position, Rng& rng) {
  Index size = 0;
  for (const TensorSpec& spec : position.tensors()) size += spec.size();
  return normal_vector(rng, size);
}

std::vector<Position> assigned(const PositionEncoding<double>& position, Index tokens) {
  std::vector<Position> positions(static_cast<std::size_t>(tokens));
  Rng rng = random_numbers(9);
  position.assign(positions, rng);
  return positions;
}

}  // namespace

TEST_CASE("alibi's slopes are 2^(-8h/H)", "[unit]") {
  const auto alibi = encoding("alibi");
  const double expected[] = {0.25, 0.0625, 0.015625, 0.00390625};
  for (Index head = 0; head < 4; ++head) {
    CHECK(alibi->biased(head));
    CHECK(alibi->scaled(head));
    CHECK(bias(*alibi, head, 0) == 0);
    CHECK(bias(*alibi, head, 1) == -expected[head]);
    CHECK(bias(*alibi, head, 100) == -100 * expected[head]);
    CHECK(alibi->bias_bound(nullptr, head, 100) == -100 * expected[head]);
  }
  CHECK(bias(*encoding("alibi", {8, 4}), 0, 3) == -1.5);
  CHECK(bias(*encoding("alibi", {8, 4}), 7, 256) == -1);
}

TEST_CASE("nape is alibi with slopes 1, 1/2, 1/3, ... on half the heads, nothing on the rest",
          "[unit]") {
  const auto nape = encoding("nape", {6, 4});
  CHECK(bias(*nape, 0, 7) == -7);
  CHECK(bias(*nape, 1, 7) == -3.5);
  CHECK(bias(*nape, 2, 6) == Approx(-2));
  for (Index head = 0; head < 6; ++head) {
    CHECK(nape->biased(head) == (head < 3));
    CHECK(nape->scaled(head) == (head >= 3));
  }
  CHECK(bias(*nape, 3, 500) == 0);
  CHECK(nape->bias_bound(nullptr, 1, 8) == -4);
  CHECK(nape->bias_bound(nullptr, 5, 8) == 0);

  // One head cannot be halved: it goes without encoding.
  const auto single = encoding("nape", {1, 4});
  CHECK_FALSE(single->biased(0));
  CHECK(single->scaled(0));
}

TEST_CASE("alibi and nape take other slopes, and say which heads a scaler scales", "[unit]") {
  const auto slopes = [](const std::string& name, Index heads) {
    const auto position = encoding(name, {heads, 4});
    std::vector<double> found;
    for (Index head = 0; head < heads; ++head) found.push_back(-bias(*position, head, 1));
    return found;
  };
  using Slopes = std::vector<double>;
  CHECK(slopes("alibi:harmonic", 4) == Slopes{1, 0.5, 1.0 / 3, 0.25});
  CHECK(slopes("alibi:slopes=2:0.5:0", 3) == Slopes{2, 0.5, 0});
  CHECK(slopes("nape:slopes=geometric", 6) == Slopes{1, 0.5, 0.25, 0, 0, 0});
  CHECK(slopes("nape:near=1", 4) == Slopes{1, 0, 0, 0});
  CHECK(slopes("nape:near=4", 4) == Slopes{1, 0.5, 1.0 / 3, 0.25});
  CHECK(slopes("nape:near=2,slopes=0.5:0.125", 4) == Slopes{0.5, 0.125, 0, 0});
  CHECK(slopes("nape:near=0", 2) == Slopes{0, 0});
  CHECK_FALSE(encoding("alibi:scaled=unbiased")->scaled(0));
  CHECK(encoding("nape:scaled=all")->scaled(0));
  CHECK(encoding("nape:scaled=all")->scaled(3));
  CHECK_THROWS_WITH(encoding("nape:near=5"),
                    "nape: near=5 is more than the 4 heads; lower near or raise heads.");
  CHECK_THROWS_WITH(encoding("nape:slopes=1"),
                    "nape: slopes lists 1 numbers, but there are 2 heads with a distance bias; "
                    "give one number for each.");
}

TEST_CASE("nope does nothing", "[unit]") {
  const auto nope = encoding("nope");
  for (Index head = 0; head < 4; ++head) {
    CHECK_FALSE(nope->biased(head));
    CHECK(nope->scaled(head));
    CHECK(bias(*nope, head, 50) == 0);
  }
  CHECK_FALSE(nope->rotary());
}

TEST_CASE("rope turns pairs (p, p + d/2) by position 10000^(-2p/d)", "[unit]") {
  const auto rope = encoding("rope", {1, 4});
  CHECK(rope->rotary());
  // Frequencies 1 and 10000^(-1/2) = 0.01; cos 3, sin 3, cos 0.03, sin 0.03.
  Dense<double> vectors(2, 4);
  vectors.numbers = {1, 0, 0, 0, 0, 1, 0, 2};
  const Position positions[] = {3, 3};
  rope->rotate(vectors.view(), positions, false);
  CHECK(vectors(0, 0) == Approx(-0.9899924966));
  CHECK(vectors(0, 1) == 0);
  CHECK(vectors(0, 2) == Approx(0.1411200081));
  CHECK(vectors(0, 3) == 0);
  CHECK(vectors(1, 1) == Approx(0.9995500337 - 2 * 0.0299955002));
  CHECK(vectors(1, 3) == Approx(0.0299955002 + 2 * 0.9995500337));
}

TEST_CASE("rope takes another base", "[unit]") {
  // The second pair turns by 100^(-1/2) = 0.1 a position: cos 0.3, sin 0.3 at 3.
  Dense<double> vectors(1, 4);
  vectors.numbers = {0, 1, 0, 0};
  const Position three = 3;
  encoding("rope:base=100", {1, 4})->rotate(vectors.view(), &three, false);
  CHECK(vectors(0, 1) == Approx(0.9553364891));
  CHECK(vectors(0, 3) == Approx(0.2955202067));
}

TEST_CASE("rope needs an even head width", "[unit]") {
  CHECK_THROWS_AS(make_position<float>("rope", {2, 3}), InputError);
  CHECK_NOTHROW(make_position<float>("rope", {2, 2}));
}

// Positions beyond any training length too: 2047 to 2049 span the end of a table of angles, and at
// 65,536 a float angle would already be off by 0.004.
TEST_CASE("rotated products depend on the distance alone", "[property]") {
  for (const std::string& name : every_position()) {
    const auto position = encoding(name);
    if (!position->rotary()) continue;
    INFO(name);
    Rng rng = random_numbers(1);
    const Dense<double> q = normal_matrix(rng, 1, 24), k = normal_matrix(rng, 1, 24);
    const auto product_at = [&](Position query, Position key) {
      Dense<double> turned_q = q, turned_k = k;
      position->rotate(turned_q.view(), &query, false);
      position->rotate(turned_k.view(), &key, false);
      return inner_product_of(turned_q.numbers, turned_k.numbers);
    };
    for (const Position distance : {0, 1, 40, 2000})
      for (const Position start : {0, 5, 2047, 2048, 2049, 65536, 1000000})
        CHECK(product_at(start + distance, start) ==
              Approx(product_at(distance, 0)).epsilon(0).margin(1e-8));
  }
}

TEST_CASE("a rotation's inverse undoes it and is its transpose", "[property]") {
  for (const std::string& name : every_position()) {
    INFO(name);
    const auto position = encoding(name);
    Rng rng = random_numbers(2);
    const Dense<double> a = normal_matrix(rng, 5, 24), b = normal_matrix(rng, 5, 24);
    const Position positions[] = {0, 1, 77, 2048, 65535};
    Dense<double> turned = a, back = a, inverse = b;
    position->rotate(turned.view(), positions, false);
    back = turned;
    position->rotate(back.view(), positions, true);
    CHECK(largest_difference(back.numbers, a.numbers) < 1e-14);
    position->rotate(inverse.view(), positions, true);
    CHECK(inner_product_of(turned.numbers, b.numbers) ==
          Approx(inner_product_of(a.numbers, inverse.numbers)).epsilon(1e-13));
    CHECK((largest_difference(turned.numbers, a.numbers) > 0.1) == position->rotary());
  }
}

TEST_CASE("float rotations equal double ones far out", "[property]") {
  for (const std::string& name : every_position()) {
    INFO(name);
    const auto exact = encoding(name);
    const auto rounded = make_position<float>(name, shape);
    Rng rng = random_numbers(3);
    Dense<double> wide = normal_matrix(rng, 4, 24);
    Dense<float> narrow(4, 24);
    std::copy(wide.numbers.begin(), wide.numbers.end(), narrow.numbers.begin());
    const Position positions[] = {3, 2047, 65535, 1048576};
    exact->rotate(wide.view(), positions, false);
    rounded->rotate(narrow.view(), positions, false);
    CHECK(largest_difference(wide.numbers, narrow.numbers) < 2e-6);
  }
}

TEST_CASE("positions are strictly increasing", "[property]") {
  for (const std::string& name : every_position()) {
    INFO(name);
    const auto position = encoding(name);
    const std::vector<Position> positions = assigned(*position, 300);
    CHECK(positions.front() >= 0);
    for (std::size_t i = 1; i < positions.size(); ++i) REQUIRE(positions[i] > positions[i - 1]);
    if (!position->randomized()) CHECK(positions.back() == 299);
  }
}

TEST_CASE("the bias bound holds for its distance and every farther one", "[property]") {
  for (const std::string& name : every_position()) {
    const auto position = encoding(name);
    Rng rng = random_numbers(4);
    const AlignedVector<double> parameters = random_parameters(*position, rng);
    const std::vector<Position> positions = assigned(*position, 400);
    for (Index head = 0; head < shape.heads; ++head) {
      INFO(name << ", head " << head);
      std::vector<double> scores(positions.size(), 0.0);
      position->add_bias(parameters.data(), head, positions.back(), positions.data(),
                         static_cast<Index>(scores.size()), scores.data());
      double largest = -std::numeric_limits<double>::infinity();
      for (std::size_t j = 0; j < scores.size(); ++j) {
        largest = std::max(largest, scores[j]);
        REQUIRE(position->bias_bound(parameters.data(), head, positions.back() - positions[j]) >=
                largest);
      }
      // A head that says it has no bias must have none.
      if (!position->biased(head))
        CHECK(std::all_of(scores.begin(), scores.end(), [](double bias) { return bias == 0; }));
    }
  }
}

TEST_CASE("gradient of every learned position bias", "[gradient]") {
  for (const std::string& name : every_position()) {
    const auto position = encoding(name);
    Rng rng = random_numbers(5);
    AlignedVector<double> parameters = random_parameters(*position, rng);
    if (parameters.empty()) continue;
    INFO(name);
    const std::vector<Position> positions = assigned(*position, 60);
    const AlignedVector<double> dscores = normal_vector(rng, 60);
    AlignedVector<double> gradient(parameters.size());
    for (Index head = 0; head < shape.heads; ++head)
      position->bias_backward(parameters.data(), head, positions.back(), positions.data(), 60,
                              dscores.data(), gradient.data());
    check_gradient("its parameters", parameters, gradient, rng, [&] {
      double sum = 0;
      for (Index head = 0; head < shape.heads; ++head) {
        std::vector<double> scores(60, 0.0);
        position->add_bias(parameters.data(), head, positions.back(), positions.data(), 60,
                           scores.data());
        for (std::size_t j = 0; j < scores.size(); ++j)
          if (std::isfinite(scores[j])) sum += scores[j] * dscores[j];
      }
      return sum;
    });
  }
}
