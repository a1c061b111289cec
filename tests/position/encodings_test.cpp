#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "position/position.hpp"
#include "position/scaled_heads.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr LayerShape shape{4, 6};

std::unique_ptr<PositionEncoding<double>> encoding(const std::string& name,
                                                   const LayerShape& of = shape) {
  return make_position<double>(name, of);
}

/// One sequence of random tokens as an encoding sees it.
class Sequence {
 public:
  Sequence(const PositionEncoding<double>& encoding, const LayerShape& of, Index tokens, Rng& rng)
      : encoding_(encoding),
        positions_(static_cast<std::size_t>(tokens)),
        vector_(normal_vector(rng, encoding.width() > 0 ? encoding.width() : of.d_head)),
        features_(tokens, of.heads * encoding.features()) {
    std::iota(positions_.begin(), positions_.end(), Position{0});
    for (const TensorSpec& spec : encoding.tensors())
      for (Index i = 0; i < spec.size(); ++i) parameters_.push_back(spec.mean + rng.normal());
    const Dense<double> x = normal_matrix(rng, tokens, of.heads * of.d_head);
    if (encoding.features() > 0) encoding.read(parameters(), x.view(), features_.view());
  }

  const double* parameters() const { return parameters_.data(); }

  /// The last token and the first `keys` keys.
  BiasRow<double> row(Index head, Index keys) const {
    BiasRow<double> row;
    row.query = positions_.back();
    row.keys = positions_.data();
    row.count = keys;
    row.vector = vector_.data();
    if (const Index numbers = encoding_.features(); numbers > 0) {
      const auto features = features_.view().middle_cols(head * numbers, numbers);
      row.features = features.row(features.rows - 1);
      row.key_features = features.middle_rows(0, keys);
    }
    return row;
  }

  /// The biases of all keys, seen from the last token, where every score is 0.
  std::vector<double> biases(Index head) const {
    std::vector<double> scores(positions_.size(), 0.0);
    std::vector<double> carried(static_cast<std::size_t>(encoding_.carried()), 0.0);
    encoding_.add_bias(parameters(), head, row(head, static_cast<Index>(scores.size())),
                       scores.data(), carried.data());
    return scores;
  }

 private:
  const PositionEncoding<double>& encoding_;
  std::vector<Position> positions_;
  AlignedVector<double> parameters_, vector_;
  Dense<double> features_;
};

AlignedVector<double> random_parameters(const PositionEncoding<double>& position, Rng& rng) {
  AlignedVector<double> parameters;
  for (const TensorSpec& spec : position.tensors())
    for (Index i = 0; i < spec.size(); ++i) parameters.push_back(spec.mean + 0.3 * rng.normal());
  return parameters;
}

/// Queries or keys turned by their positions.
template <class Real>
Dense<Real> turned(const PositionEncoding<Real>& position, const Dense<Real>& vectors,
                   const Position* positions, const AlignedVector<Real>& parameters = {},
                   Role role = Role::query) {
  Dense<Real> to(vectors.rows,
                 vectors.cols % 24 == 0 ? shape.heads * position.width() : position.width());
  position.turn(parameters.data(), role, positions, vectors.view(), to.view());
  return to;
}

/// Bias of a key `distance` back, and the bound for it and all farther ones.
double bias(const PositionEncoding<double>& position, Index head, Position distance) {
  BiasRow<double> row;
  const Position key = 1000 - distance;
  row.query = 1000;
  row.keys = &key;
  row.count = 1;
  double score = 0;
  position.add_bias(nullptr, head, row, &score, nullptr);
  return score;
}
double bound(const PositionEncoding<double>& position, Index head, Position distance) {
  BiasRow<double> row;
  const Position key = 1000 - distance;
  row.query = 1000;
  row.keys = &key;
  row.count = 1;
  return position.bias_bound(nullptr, head, row);
}

}  // namespace

TEST_CASE("alibi's slopes are 2^(-8h/H)", "[unit]") {
  const auto alibi = encoding("alibi");
  const double expected[] = {0.25, 0.0625, 0.015625, 0.00390625};
  for (Index head = 0; head < 4; ++head) {
    CHECK(alibi->biased(head));
    CHECK(bias(*alibi, head, 0) == 0);
    CHECK(bias(*alibi, head, 1) == -expected[head]);
    CHECK(bias(*alibi, head, 100) == -100 * expected[head]);
    CHECK(bound(*alibi, head, 100) == -100 * expected[head]);
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
  }
  CHECK(bias(*nape, 3, 500) == 0);
  CHECK(bound(*nape, 1, 8) == -4);
  CHECK(bound(*nape, 5, 8) == 0);

  // One head cannot be halved: it goes without encoding.
  const auto single = encoding("nape", {1, 4});
  CHECK_FALSE(single->biased(0));
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
  const auto scaled = [](const char* name) { return scaled_heads(position_choice(name)); };
  CHECK(scaled("alibi") == ScaledHeads::all);
  CHECK(scaled("alibi:scaled=unbiased") == ScaledHeads::unbiased);
  CHECK(scaled("nape") == ScaledHeads::unbiased);
  CHECK(scaled("nape:scaled=all") == ScaledHeads::all);
  CHECK(scaled("rope") == ScaledHeads::all);
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
    CHECK(bias(*nope, head, 50) == 0);
  }
  CHECK(nope->width() == 0);
}

TEST_CASE("rope turns pairs (p, p + d/2) by position 10000^(-2p/d)", "[unit]") {
  const auto rope = encoding("rope", {1, 4});
  CHECK(rope->width() == 4);
  // Frequencies 1 and 10000^(-1/2) = 0.01; cos 3, sin 3, cos 0.03, sin 0.03.
  Dense<double> vectors(2, 4);
  vectors.numbers = {1, 0, 0, 0, 0, 1, 0, 2};
  const Position positions[] = {3, 3};
  vectors = turned(*rope, vectors, positions);
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
  vectors = turned(*encoding("rope:base=100", {1, 4}), vectors, &three);
  CHECK(vectors(0, 1) == Approx(0.9553364891));
  CHECK(vectors(0, 3) == Approx(0.2955202067));
}

TEST_CASE("rope needs an even head width", "[unit]") {
  CHECK_THROWS_AS(make_position<float>("rope", {2, 3}), InputError);
  CHECK_NOTHROW(make_position<float>("rope", {2, 2}));
}

// Positions beyond any training length too: 2047 to 2049 span the end of a table of angles, and at
// 65,536 a float angle would already be off by 0.004.
TEST_CASE("turned products depend on the distance alone", "[property]") {
  for (const std::string& name : every_position()) {
    const auto position = encoding(name);
    if (position->width() == 0) continue;
    INFO(name);
    Rng rng = random_numbers(1);
    const AlignedVector<double> parameters = random_parameters(*position, rng);
    const Dense<double> q = normal_matrix(rng, 1, 24), k = normal_matrix(rng, 1, 24);
    const auto product_at = [&](Position query, Position key) {
      return inner_product_of(turned(*position, q, &query, parameters, Role::query).numbers,
                              turned(*position, k, &key, parameters, Role::key).numbers);
    };
    for (const Position distance : {0, 1, 40, 2000})
      for (const Position start : {0, 5, 2047, 2048, 2049, 65536, 1000000})
        CHECK(product_at(start + distance, start) ==
              Approx(product_at(distance, 0)).epsilon(0).margin(1e-8));
    CHECK(std::abs(product_at(40, 0) - product_at(0, 0)) > 0.01);
  }
}

TEST_CASE("float turns equal double ones far out", "[property]") {
  for (const std::string& name : every_position()) {
    const auto exact = encoding(name);
    if (exact->width() == 0) continue;
    INFO(name);
    const auto rounded = make_position<float>(name, shape);
    Rng rng = random_numbers(3);
    const AlignedVector<double> parameters = random_parameters(*exact, rng);
    const AlignedVector<float> narrow_parameters(parameters.begin(), parameters.end());
    const Dense<double> wide = normal_matrix(rng, 4, 24);
    Dense<float> narrow(4, 24);
    std::copy(wide.numbers.begin(), wide.numbers.end(), narrow.numbers.begin());
    const Position positions[] = {3, 2047, 65535, 1048576};
    CHECK(largest_difference(turned(*exact, wide, positions, parameters).numbers,
                             turned(*rounded, narrow, positions, narrow_parameters).numbers) <
          2e-6);
  }
}

TEST_CASE("the bias bound holds for its key and every farther one", "[property]") {
  for (const std::string& name : every_position()) {
    const auto position = encoding(name);
    Rng rng = random_numbers(4);
    const Sequence sequence(*position, shape, 400, rng);
    for (Index head = 0; head < shape.heads; ++head) {
      INFO(name << ", head " << head);
      const std::vector<double> biases = sequence.biases(head);
      double largest = -std::numeric_limits<double>::infinity();
      for (std::size_t j = 0; j < biases.size(); ++j) {
        largest = std::max(largest, biases[j]);
        REQUIRE(position->bias_bound(sequence.parameters(), head,
                                     sequence.row(head, static_cast<Index>(j + 1))) >= largest);
      }
      // A head that says it has no bias must have none.
      if (!position->biased(head))
        CHECK(std::all_of(biases.begin(), biases.end(), [](double bias) { return bias == 0; }));
    }
  }
}
