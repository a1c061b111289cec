#include "ops/product.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/parallel.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/training.hpp"

using namespace attnspan;

namespace {

/// A matrix whose rows lie `gap` numbers farther apart than they are long; the gaps hold a mark.
template <class Real>
struct Gapped {
  static constexpr Real mark = 77;
  Index rows, cols, stride;
  AlignedVector<Real> numbers;

  Gapped(Rng& rng, Index rows_, Index cols_, Index gap)
      : rows(rows_), cols(cols_), stride(cols_ + gap) {
    numbers.assign(static_cast<std::size_t>(rows * stride), mark);
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < cols; ++j) view().row(i)[j] = static_cast<Real>(rng.normal());
  }
  MatrixView<Real> view() { return {numbers.data(), rows, cols, stride}; }
  bool gaps_untouched() {
    for (Index i = 0; i < rows; ++i)
      for (Index j = cols; j < stride; ++j)
        if (view().row(i)[j] != mark) return false;
    return true;
  }
};

/// Holds one variant against three loops; `transposed_a` and `transposed_b` say how it reads.
template <class Real, class Product>
void check_product(const Product& multiply, bool transposed_a, bool transposed_b, double bound) {
  Rng rng = random_numbers(1);
  for (const Index m : {1, 2, 7, 64, 70})
    for (const Index n : {1, 3, 16, 65})
      for (const Index k : {1, 5, 33})
        for (const Index gap : {0, 3})
          for (const Into into : {Into::replace, Into::add}) {
            INFO(m << " x " << k << " times " << k << " x " << n << ", gap " << gap);
            Gapped<Real> a =
                transposed_a ? Gapped<Real>(rng, k, m, gap) : Gapped<Real>(rng, m, k, gap);
            Gapped<Real> b =
                transposed_b ? Gapped<Real>(rng, n, k, gap) : Gapped<Real>(rng, k, n, gap);
            Gapped<Real> c(rng, m, n, gap);
            const Gapped<Real> before = c;
            multiply(a.view(), b.view(), c.view(), into);
            double worst = 0;
            for (Index i = 0; i < m; ++i)
              for (Index j = 0; j < n; ++j) {
                double sum =
                    into == Into::add
                        ? static_cast<double>(
                              before.numbers[static_cast<std::size_t>(i * before.stride + j)])
                        : 0;
                for (Index t = 0; t < k; ++t)
                  sum +=
                      static_cast<double>(transposed_a ? a.view().row(t)[i] : a.view().row(i)[t]) *
                      static_cast<double>(transposed_b ? b.view().row(j)[t] : b.view().row(t)[j]);
                worst = std::max(worst, std::abs(sum - static_cast<double>(c.view().row(i)[j])));
              }
            CHECK(worst <= bound);
            CHECK(c.gaps_untouched());
          }
}

template <class Real>
void check_products(double bound) {
  check_product<Real>([](const auto&... with) { product<Real>(with...); }, false, false, bound);
  check_product<Real>([](const auto&... with) { product_bt<Real>(with...); }, false, true, bound);
  check_product<Real>([](const auto&... with) { product_at<Real>(with...); }, true, false, bound);
}

/// Queries at some places, each of which sees the keys up to its own, hold whatever is left out
/// against what is 0.
template <class Real>
void check_last_seen() {
  Rng rng = random_numbers(2);
  for (const Index keys : {1, 9, 40, 111})
    for (const Index skipped : {1, 2, 5}) {
      std::vector<Index> places;
      for (Index place = skipped - 1; place < keys; place += skipped) {
        places.push_back(place);
        if (place % 7 == 0) places.push_back(place);
      }
      if (places.empty()) continue;
      const Index queries = std::ssize(places), d = 19;
      INFO(queries << " queries, " << keys << " keys");
      Gapped<Real> scores(rng, queries, keys, 3);
      for (Index i = 0; i < queries; ++i)
        std::fill(scores.view().row(i) + places[static_cast<std::size_t>(i)] + 1,
                  scores.view().row(i) + keys, Real(0));
      Gapped<Real> query(rng, queries, d, 1), key(rng, keys, d, 2);
      for (const Into into : {Into::replace, Into::add}) {
        Gapped<Real> mixed(rng, queries, d, 0), given(rng, keys, d, 0);
        Gapped<Real> all_mixed = mixed, all_given = given, some = scores, all = scores;
        product<Real>(scores.view(), key.view(), mixed.view(), into, places);
        product<Real>(scores.view(), key.view(), all_mixed.view(), into);
        CHECK(mixed.numbers == all_mixed.numbers);
        product_at<Real>(scores.view(), query.view(), given.view(), into, places);
        product_at<Real>(scores.view(), query.view(), all_given.view(), into);
        CHECK(given.numbers == all_given.numbers);
        product_bt<Real>(query.view(), key.view(), some.view(), into, places);
        product_bt<Real>(query.view(), key.view(), all.view(), into);
        for (Index i = 0; i < queries; ++i)
          CHECK(std::equal(some.view().row(i),
                           some.view().row(i) + places[static_cast<std::size_t>(i)] + 1,
                           all.view().row(i)));
        CHECK(some.gaps_untouched());
      }
    }
}

/// With 40 keys, what no query sees is not read, and what no query of a wide panel sees is not
/// written.
template <class Real>
void check_left_out() {
  constexpr Real none = std::numeric_limits<Real>::quiet_NaN();
  Rng rng = random_numbers(3);
  const Index queries = 20, keys = 40, d = 16;
  std::vector<Index> places(static_cast<std::size_t>(keys));
  std::iota(places.begin(), places.end(), Index{0});
  Gapped<Real> scores(rng, keys, keys, 0), key(rng, keys, d, 0), query(rng, keys, d, 0),
      mixed(rng, queries, d, 0), given(rng, keys, d, 0);
  for (Index i = 0; i < keys; ++i)
    std::fill(scores.view().row(i) + i + 1, scores.view().row(i) + keys, Real(0));

  std::fill_n(key.view().row(queries), (keys - queries) * d, none);
  const std::span<const Index> first(places.data(), static_cast<std::size_t>(queries));
  product<Real>(scores.view().middle_rows(0, queries), key.view(), mixed.view(), Into::replace,
                first);
  CHECK(std::ranges::none_of(mixed.numbers, [](Real number) { return std::isnan(number); }));

  Gapped<Real> some(rng, queries, keys, 0);
  std::fill(some.numbers.begin(), some.numbers.end(), some.mark);
  product_bt<Real>(mixed.view(), key.view(), some.view(), Into::replace, first);
  CHECK(some.view().row(0)[keys - 1] == some.mark);
  CHECK(some.view().row(queries - 1)[0] != some.mark);

  // The first query is seen in the gradient of the first key and not in that of the last.
  query.view().row(0)[0] = none;
  product_at<Real>(scores.view(), query.view(), given.view(), Into::replace, places);
  CHECK(std::isnan(given.view().row(0)[0]));
  CHECK_FALSE(std::isnan(given.view().row(keys - 1)[0]));
}

/// All three products, alone and with the help of idle threads.
template <class Real>
void check_sharing(Index m, Index n, Index k) {
  INFO(m << " x " << k << " times " << k << " x " << n);
  Rng rng = random_numbers(11);
  Gapped<Real> a(rng, m, k, 3), a_turned(rng, k, m, 0), b(rng, k, n, 1), b_turned(rng, n, k, 0);
  for (const Into into : {Into::replace, Into::add}) {
    using Results = std::array<Gapped<Real>, 3>;
    const Results start{Gapped<Real>(rng, m, n, 2), Gapped<Real>(rng, m, n, 2),
                        Gapped<Real>(rng, m, n, 2)};
    const auto multiply = [&](Results& results) {
      product<Real>(a.view(), b.view(), results[0].view(), into);
      product_bt<Real>(a.view(), b_turned.view(), results[1].view(), into);
      product_at<Real>(a_turned.view(), b.view(), results[2].view(), into);
    };
    Results alone = start;
    parallel_for(1, [&](Index) { multiply(alone); });
    for (int round = 0; round < 10; ++round) {
      Results shared = start;
      CHECK(beside_idle_threads(4, [&] { multiply(shared); }));
      for (std::size_t i = 0; i < 3; ++i) CHECK(shared[i].numbers == alone[i].numbers);
    }
  }
}

}  // namespace

// 33 products of standard normals: the sum is of order 10, its rounding below 33 units of that.
TEST_CASE("products equal three loops, whatever the shape and stride", "[unit]") {
  check_products<double>(1e-13);
  check_products<float>(5e-5);
}

TEST_CASE("products of nothing leave the result alone or empty it", "[unit]") {
  const Dense<double> a(3, 0), b(0, 2);
  Dense<double> c(3, 2, 5);
  product<double>(a.view(), b.view(), c.view(), Into::add);
  CHECK(c(2, 1) == 5);
  product<double>(a.view(), b.view(), c.view());
  CHECK(c(2, 1) == 0);
}

TEST_CASE("products leave out keys that no query sees, to the same bits", "[property]") {
  check_last_seen<double>();
  check_last_seen<float>();
}

TEST_CASE("products do not look at keys that no query sees", "[unit]") {
  check_left_out<double>();
  check_left_out<float>();
}

TEST_CASE("products are the same numbers where idle threads take part", "[property]") {
  for (const Index m : {130, 12}) {
    check_sharing<float>(m, 300, 200);
    check_sharing<double>(m, 300, 200);
  }
}
