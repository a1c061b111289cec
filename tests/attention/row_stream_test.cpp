// The streaming form of every normalizer against its row at once.

#include <numeric>

#include "attention/normalizer.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr Index d_head = 3, block = 128;

/// Scores of a tile of rows over all keys; row r sees the first visible[r] of them.
template <class Real>
struct Tile {
  std::vector<Index> visible;
  Dense<Real> scores, values;

  Tile(Rng& rng, std::vector<Index> visible_, double spread, double around = 0)
      : visible(std::move(visible_)),
        scores(
            normal_matrix<Real>(rng, static_cast<Index>(visible.size()), visible.back(), spread)),
        values(normal_matrix<Real>(rng, visible.back(), d_head)) {
    for (Index i = 0; i < scores.rows; ++i)
      for (Index j = 0; j < scores.cols; ++j)
        if (j >= visible[static_cast<std::size_t>(i)] || hides(i, j))
          scores(i, j) = hidden;
        else
          scores(i, j) += static_cast<Real>(around);
  }

  static constexpr Real hidden = -std::numeric_limits<Real>::infinity();
  /// A mask besides the causal one, of single keys and of whole blocks; never a row's own key.
  bool hides(Index i, Index j) const {
    return j + 1 != visible[static_cast<std::size_t>(i)] &&
           (j % 7 == i % 7 || (i % 2 == 1 && j / block == 1));
  }
};

/// Each row's weights worked out at once, times the values.
template <class Real>
Dense<Real> at_once(const Normalizer<Real>& normalizer, const AlignedVector<Real>& parameters,
                    const Tile<Real>& tile) {
  Dense<Real> output(tile.scores.rows, d_head);
  AlignedVector<Real> state(static_cast<std::size_t>(normalizer.state_size()));
  for (Index i = 0; i < output.rows; ++i) {
    const Index count = tile.visible[static_cast<std::size_t>(i)];
    AlignedVector<Real> weights(static_cast<std::size_t>(count));
    normalizer.forward(parameters.data(), tile.scores.view().row(i), count, weights.data(),
                       state.data());
    for (Index c = 0; c < d_head; ++c) {
      double sum = 0;
      for (Index j = 0; j < count; ++j)
        sum += static_cast<double>(weights[static_cast<std::size_t>(j)]) *
               static_cast<double>(tile.values(j, c));
      output(i, c) = static_cast<Real>(sum);
    }
  }
  return output;
}

/// The same through a stream, blocks nearest first. before_block(stream, first_key, scores) may
/// change the scores of a block before it is pushed.
template <class Real, class BeforeBlock>
Dense<Real> streamed(RowStream<Real>& stream, const AlignedVector<Real>& parameters,
                     const Tile<Real>& tile, const BeforeBlock& before_block) {
  stream.start(parameters.data(), tile.visible);
  const Index keys = tile.scores.cols;
  for (Index b = (keys - 1) / block; b >= 0; --b) {
    const Index first = b * block, count = std::min(block, keys - first);
    Dense<Real> scores(tile.scores.rows, count);
    for (Index i = 0; i < scores.rows; ++i)
      std::copy_n(tile.scores.view().row(i) + first, count, scores.view().row(i));
    before_block(stream, first, scores);
    stream.push(scores.view(), tile.values.view().middle_rows(first, count), first);
  }
  Dense<Real> output(tile.scores.rows, d_head);
  stream.finish(tile.values.view(), output.view());
  return output;
}

constexpr auto as_they_are = [](auto&, Index, auto&) {};

template <class Real>
AlignedVector<Real> learned_numbers(const Normalizer<Real>& normalizer) {
  AlignedVector<Real> parameters;
  for (Index index = 0; index < normalizer.parameters_per_head(); ++index)
    parameters.push_back(static_cast<Real>(normalizer.initial_parameter(index) + 0.1));
  return parameters;
}

const std::vector<std::vector<Index>> every_visible{
    {1}, {1, 2, 3}, {128, 129}, {5, 130, 131, 400, 401}, {700, 701, 702, 703, 900}};

/// The arguments of the catalog's tests, and the largest alpha there is.
std::vector<NamedNormalizer> normalizers() {
  std::vector<NamedNormalizer> found = every_normalizer();
  found.push_back({"entmax:64"});
  return found;
}

template <class Real>
void check_streams(double bound) {
  for (const NamedNormalizer& named : normalizers()) {
    const auto normalizer = named.make<Real>();
    const AlignedVector<Real> parameters = learned_numbers(*normalizer);
    const auto stream = normalizer->stream(d_head);  // one for all tiles: start must forget
    Rng rng = random_numbers(1);
    for (const std::vector<Index>& visible : every_visible)
      for (const double around : {0.0, 1000.0, -1000.0})
        for (const double spread : {0.002, 0.01, 1.0, 8.0, 300.0}) {
          INFO(named.name << ", " << visible.back() << " keys around " << around << ", deviation "
                          << spread);
          const Tile<Real> tile(rng, visible, spread, around);
          const Dense<Real> expected = at_once(*normalizer, parameters, tile);
          double size = 1;
          for (const Real number : expected.numbers)
            size = std::max(size, std::abs(static_cast<double>(number)));
          CHECK(largest_difference(streamed(*stream, parameters, tile, as_they_are).numbers,
                                   expected.numbers) < bound * size);
        }
  }
}

}  // namespace

TEST_CASE("streamed rows equal rows at once", "[property]") { check_streams<double>(1e-12); }

TEST_CASE("streamed rows equal rows at once in float", "[property]") { check_streams<float>(2e-6); }

// The floor is a promise that lets whole blocks go unseen. Here every block after the first few is
// filled with keys that lie exactly at the floor, the worst that the promise covers.
TEST_CASE("keys at the floor do not change a row", "[property]") {
  const auto check = [](auto zero, double bound) {
    using Real = decltype(zero);
    for (const NamedNormalizer& named : every_normalizer()) {
      const auto normalizer = named.make<Real>();
      const AlignedVector<Real> parameters = learned_numbers(*normalizer);
      const auto stream = normalizer->stream(d_head);
      Rng rng = random_numbers(2);
      bool known = false;
      for (const double spread : {0.5, 4.0, 100.0})
        for (const Index farther : {0, 128, 384}) {
          INFO(named.name << ", deviation " << spread << ", the first " << farther << " keys");
          const Tile<Real> tile(rng, {650, 700}, spread);
          const auto with = [&](bool at_floor) {
            return streamed(*stream, parameters, tile,
                            [&](RowStream<Real>& rows, Index first, Dense<Real>& scores) {
                              if (first > farther) return;
                              for (Index i = 0; i < scores.rows; ++i) {
                                known = known || rows.floor(i) > Tile<Real>::hidden;
                                std::fill_n(scores.view().row(i), scores.cols,
                                            at_floor ? rows.floor(i) : Tile<Real>::hidden);
                              }
                            });
          };
          CHECK(largest_difference(with(true).numbers, with(false).numbers) <= bound);
        }
      // Streams that keep every score know none.
      if (named.name == "softmax" || named.name.rfind("entmax", 0) == 0 || named.name == "top-k")
        CHECK(known);
    }
  };
  // Values are of size 1 to 4: half a unit in the last place of the sums.
  check(double{}, 1e-15);
  check(float{}, 5e-7);
}

TEST_CASE("nothing is below the floor of a row that has seen nothing", "[unit]") {
  for (const NamedNormalizer& named : every_normalizer()) {
    INFO(named.name);
    // Their thresholds do not wait for a first key.
    if (named.name.starts_with("tda") || named.name.starts_with("threshold")) continue;
    const auto normalizer = named.make<double>();
    const AlignedVector<double> parameters = learned_numbers(*normalizer);
    const auto stream = normalizer->stream(d_head);
    const std::vector<Index> visible{10, 20};
    stream->start(parameters.data(), visible);
    CHECK(stream->floor(0) == -std::numeric_limits<double>::infinity());
    CHECK(stream->floor(1) == -std::numeric_limits<double>::infinity());
  }
}
