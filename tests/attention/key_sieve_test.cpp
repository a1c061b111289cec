// Keys sifted in bytes against all keys scored.

#include "attention/key_sieve.hpp"

#include "ops/engine.hpp"
#include "ops/product.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr Index stretch = KeySieve<float>::stretch, vectors = 3;

/// Keys of each vector around so many centres, at this distance from them.
template <class Real>
std::vector<Dense<Real>> keys_around(Rng& rng, Index count, Index width, Index centres,
                                     double distance) {
  std::vector<Dense<Real>> all;
  for (Index vector = 0; vector < vectors; ++vector) {
    const Dense<Real> around = normal_matrix<Real>(rng, centres, width);
    Dense<Real>& keys = all.emplace_back(normal_matrix<Real>(rng, count, width, distance));
    for (Index i = 0; i < count; ++i) {
      const auto centre = static_cast<Index>(rng.below(static_cast<std::uint32_t>(centres)));
      for (Index j = 0; j < width; ++j) keys(i, j) += around(centre, j);
    }
  }
  return all;
}

template <class Real>
std::vector<MatrixView<Real>> views(std::vector<Dense<Real>>& matrices) {
  std::vector<MatrixView<Real>> all;
  for (Dense<Real>& matrix : matrices) all.push_back(matrix.view());
  return all;
}

/// Rows of queries, half of them without one coordinate, the last without any.
template <class Real>
Dense<Real> some_queries(Rng& rng, Index count, Index width, double size) {
  Dense<Real> queries = normal_matrix<Real>(rng, count, width, size);
  for (Index i = 0; i < count; i += 2) queries(i, i % width) = 0;
  for (Index j = 0; j < width; ++j) queries(count - 1, j) = 0;
  return queries;
}

/// What a row found is what lies above its floor.
template <class Real>
void check_found(typename KeySieve<Real>::Tile& tile, Index row, const Real* scores, Real floor) {
  const Index above = std::count_if(scores, scores + stretch, [&](Real s) { return s > floor; });
  const Index found = tile.found(row);
  if (found < 0) {  // many are above it, or so close that bytes do not tell
    const auto [low, high] = std::minmax_element(scores, scores + stretch);
    const Real close = floor - (*high - *low) / 5 - std::abs(floor) / 100;
    CHECK(std::count_if(scores, scores + stretch, [&](Real s) { return s >= close; }) > 500);
    return;
  }
  CHECK(found == above);
  Index at = 0;
  bool same = true;
  constexpr Index block = KeySieve<Real>::block;
  for (Index first = stretch - block; first >= 0; first -= block)
    for (Index place = first; place < first + block && at < found; ++place) {
      if (!(scores[place] > floor)) continue;
      same &= tile.places()[at] == place && tile.scores()[at] == scores[place];
      ++at;
    }
  CHECK(same);
}

template <class Real>
void check_sieve(Index width) {
  Rng rng = random_numbers(1);
  for (const auto& [centres, distance, far] : {std::tuple<Index, double, double>{1, 0, 0},
                                               {1, 1, 0},
                                               {40, 0, 0},
                                               {300, 0.05, 0},
                                               {300, 0.05, 1000}}) {
    INFO(width << " wide, " << distance << " around " << centres << ", all " << far << " away");
    auto keys = keys_around<Real>(rng, 2 * stretch + 37, width, centres, distance);
    for (Dense<Real>& of_vector : keys)
      for (Real& number : of_vector.numbers) number += static_cast<Real>(far);
    KeySieve<Real> sieve;
    sieve.take(views(keys), std::vector<Index>{0, 2});
    REQUIRE(sieve.has(2));
    REQUIRE_FALSE(sieve.has(1));
    for (const Index vector : {0, 2})
      for (const double size : {1e-3, 1.0, 1e4}) {
        const Dense<Real> queries = some_queries<Real>(rng, 9, width, size);
        typename KeySieve<Real>::Tile tile;
        tile.open(sieve, vector, queries.view());
        for (const Index s : {1, 0}) {
          Dense<Real> scores(queries.rows, stretch);
          product_bt<Real>(
              queries.view(),
              views(keys)[static_cast<std::size_t>(vector)].middle_rows(s * stretch, stretch),
              scores.view());
          for (const Index above : {0, 1, 17, 100, 1000}) {  // floors that are scores
            std::vector<Real> floors;
            for (Index row = 0; row < queries.rows; ++row) {
              AlignedVector<Real> sorted(scores.view().row(row), scores.view().row(row) + stretch);
              std::nth_element(sorted.begin(), sorted.end() - 1 - above, sorted.end());
              floors.push_back(*(sorted.end() - 1 - above));
            }
            tile.sift(s, floors);
            for (const Index row : {8, 0, 1, 3, 4, 7})
              check_found<Real>(tile, row, scores.view().row(row),
                                floors[static_cast<std::size_t>(row)]);
          }
        }
      }
  }
}

}  // namespace

TEST_CASE("a sieve finds the keys above a floor, all and no others", "[property]") {
  for (const Index width : {1, 4, 5, 16, 32}) {
    check_sieve<float>(width);
    check_sieve<double>(width);
  }
}

TEST_CASE("a sieve lets few keys pass", "[unit]") {
  Rng rng = random_numbers(2);
  auto keys = keys_around<float>(rng, stretch, 16, 4000, 0);
  KeySieve<float> sieve;
  sieve.take(views(keys), std::vector<Index>{1});
  const Dense<float> queries = normal_matrix<float>(rng, 50, 16);
  Dense<float> scores(50, stretch);
  product_bt<float>(queries.view(), keys[1].view(), scores.view());
  KeySieve<float>::Tile tile;
  tile.open(sieve, 1, queries.view());
  std::vector<float> floors;
  for (Index i = 0; i < 50; ++i) {
    AlignedVector<float> sorted(scores.view().row(i), scores.view().row(i) + stretch);
    std::sort(sorted.begin(), sorted.end());
    floors.push_back(sorted[stretch - 301]);
  }
  tile.sift(0, floors);
  for (Index i = 0; i < 50; ++i) CHECK(tile.found(i) >= 200);  // 512 that pass are too many
}

TEST_CASE("a sieve leaves to others what it cannot bound", "[unit]") {
  Rng rng = random_numbers(3);
  constexpr float infinity = std::numeric_limits<float>::infinity(),
                  none = std::numeric_limits<float>::quiet_NaN();
  const auto found = [](KeySieve<float>::Tile& tile, Index of_stretch, float floor) {
    tile.sift(of_stretch, {&floor, 1});
    return tile.found(0);
  };
  for (const float bad : {infinity, -infinity, none}) {
    INFO(bad);
    constexpr Index bad_stretch = KeySieve<float>::span;  // the first of the second span
    auto keys = keys_around<float>(rng, (bad_stretch + 1) * stretch, 5, 50, 0.01);
    keys[0](bad_stretch * stretch + 77, 3) = bad;
    KeySieve<float> sieve;
    sieve.take(views(keys), std::vector<Index>{0});
    Dense<float> query = normal_matrix<float>(rng, 1, 5);
    KeySieve<float>::Tile tile;
    tile.open(sieve, 0, query.view());
    CHECK(found(tile, 0, 100) == 0);
    CHECK(found(tile, bad_stretch, 100) == -1);
    CHECK(found(tile, 0, -infinity) == -1);
    CHECK(found(tile, 0, none) == -1);
    CHECK(found(tile, 0, -100) == -1);
    query(0, 2) = bad;
    tile.open(sieve, 0, query.view());
    CHECK(found(tile, 0, 100) == -1);
  }
}

TEST_CASE("fewer keys than a stretch, or of no vector, are not sifted", "[unit]") {
  Rng rng = random_numbers(4);
  KeySieve<float> sieve;
  for (const Index count : {Index{1}, Index{16}, stretch - 1}) {
    auto keys = keys_around<float>(rng, count, 5, 3, 1);
    sieve.take(views(keys), std::vector<Index>{0});
    CHECK_FALSE(sieve.has(0));
  }
  auto keys = keys_around<float>(rng, stretch, 5, 3, 1);
  sieve.take(views(keys), {});
  CHECK_FALSE(sieve.has(0));
}

TEST_CASE("sums of products of bytes are sifted as they are", "[unit]") {
  Rng rng = random_numbers(5);
  constexpr Index rows = 7, blocks = 3;
  for (const Index depth : {4, 8, 16, 20, 32, 64}) {
    std::vector<std::int8_t> bytes(static_cast<std::size_t>(rows * depth));
    std::vector<std::uint8_t> columns(static_cast<std::size_t>(blocks * depth * 64));
    for (auto& byte : bytes)
      byte = static_cast<std::int8_t>(static_cast<int>(rng.below(255)) - 127);
    for (auto& byte : columns) byte = static_cast<std::uint8_t>(rng.below(256));
    std::fill_n(bytes.begin(), depth, std::int8_t{127});  // sums that no short number holds
    std::fill_n(columns.begin(), depth * 64, std::uint8_t{255});
    const auto sum = [&](Index row, Index column) {
      std::int32_t total = 0;
      for (Index k = 0; k < depth; ++k)
        total += bytes[static_cast<std::size_t>(row * depth + k)] *
                 columns[static_cast<std::size_t>(column / 64 * 64 * depth +
                                                  sifted_place(column % 64, k))];
      return total;
    };
    std::vector<std::int32_t> starts;  // a column of each row at the edge, on this side or that
    for (Index i = 0; i < rows; ++i)
      starts.push_back(-static_cast<std::int32_t>(i % 2) - sum(i, 27 * i));
    for (const Engine* engine : engines()) {
      INFO(engine->name << ", " << depth << " deep");
      std::vector<std::uint64_t> passed(static_cast<std::size_t>(rows * blocks));
      engine->sift(bytes.data(), starts.data(), rows, columns.data(), depth, blocks, passed.data());
      bool same = true;
      for (Index i = 0; i < rows; ++i)
        for (Index c = 0; c < blocks * 64; ++c)
          same &= (passed[static_cast<std::size_t>(i * blocks + c / 64)] >> c % 64 & 1) ==
                  (starts[static_cast<std::size_t>(i)] + sum(i, c) < 0 ? 1 : 0);
      CHECK(same);
    }
  }
}

TEST_CASE("every byte of a block of columns has a place of its own", "[unit]") {
  for (const Index depth : {4, 16, 20}) {
    std::vector<int> times(static_cast<std::size_t>(64 * depth));
    for (Index c = 0; c < 64; ++c)
      for (Index k = 0; k < depth; ++k) ++times[static_cast<std::size_t>(sifted_place(c, k))];
    CHECK(times == std::vector<int>(times.size(), 1));
  }
}

TEST_CASE("columns that passed are listed, the last two blocks first", "[unit]") {
  Rng rng = random_numbers(6);
  for (const Index blocks : {16, 32, 64})
    for (const std::uint32_t rare : {1u, 2u, 40u, 300u, 100'000u}) {
      std::vector<std::uint64_t> passed(static_cast<std::size_t>(blocks));
      std::vector<std::int32_t> expected;
      for (Index first = blocks - 2; first >= 0; first -= 2)
        for (Index column = first * 64; column < (first + 2) * 64; ++column) {
          if (rng.below(rare) != 0) continue;
          passed[static_cast<std::size_t>(column / 64)] |= std::uint64_t{1} << column % 64;
          expected.push_back(static_cast<std::int32_t>(column));
        }
      for (const Engine* engine : engines()) {
        INFO(engine->name << ", " << blocks << " blocks, one of " << rare);
        std::vector<std::int32_t> places(static_cast<std::size_t>(blocks * 64 + 1));
        const Index count = engine->list_passed(passed.data(), blocks, places.data());
        places.resize(static_cast<std::size_t>(count));
        CHECK(places == expected);
      }
    }
}
