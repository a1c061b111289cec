// Every kernel under every instruction set that this processor has: right, and the same to the last
// bit wherever there is fused multiply-add.

#include <functional>
#include <limits>
#include <numeric>

#include "core/checksum.hpp"
#include "ops/engine.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace attnspan;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

float exponential(const Engine& engine, float x) {
  float value = 0;
  engine.single.exponentials(&x, 1, 0, 1, &value);
  return value;
}

}  // namespace

TEST_CASE("float exponential is within 2^-22 of the true value", "[property]") {
  std::vector<float> x, values;
  for (double at = -87.29; at <= 88; at += 1.7e-3) x.push_back(static_cast<float>(at));
  values.resize(x.size());
  for (const Engine* engine : engines()) {
    INFO(engine->name);
    engine->single.exponentials(x.data(), static_cast<Index>(x.size()), 0, 1, values.data());
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(
          worst,
          std::abs(static_cast<double>(values[i]) / std::exp(static_cast<double>(x[i])) - 1));
    CHECK(worst < 0x1p-22);
  }
}

TEST_CASE("float exponential is exactly 1 at 0, saturates and keeps NaN", "[unit]") {
  for (const Engine* engine : engines()) {
    INFO(engine->name);
    CHECK(exponential(*engine, 0.0f) == 1);
    CHECK(exponential(*engine, -0.0f) == 1);
    CHECK(exponential(*engine, -infinity) == 0);
    CHECK(exponential(*engine, -1e30f) == 0);
    CHECK(exponential(*engine, -88.0f) == 0);
    CHECK_FALSE(std::signbit(exponential(*engine, -infinity)));
    CHECK(std::isfinite(exponential(*engine, infinity)));
    CHECK(exponential(*engine, infinity) == exponential(*engine, 88.0f));
    CHECK(exponential(*engine, 1e30f) == exponential(*engine, 88.0f));
    CHECK(std::isnan(exponential(*engine, std::numeric_limits<float>::quiet_NaN())));
  }
}

TEST_CASE("the peak's loop does the multiply-adds that it counts", "[unit]") {
  for (const Engine* engine : engines()) {
    INFO(engine->name);
    CHECK(engine->multiply_adds(0, 1) == 66);  // 0 + 1 + ... + 11
    CHECK(engine->multiply_adds(1, 1) == 66 * 0.5 + 12);
    CHECK(engine->multiply_adds(100, 1) == Approx(24));
    CHECK(engine->flops_a_round == Approx(2 * 12 * 4 * std::round(engine->flops_a_round / 96)));
  }
}

namespace {

/// The bytes of everything that the kernels make of random numbers, at lengths around the width of
/// the lanes and around where sums are continued in double.
template <class Real>
class Trace {
 public:
  explicit Trace(const Kernels<Real>& kernels) : kernels_(kernels) {
    for (const Index count : {1, 3, 8, 15, 16, 17, 40, 64, 111, 512, 513, 1500}) row(count);
    for (const Index m : {1, 2, 5, 6, 8, 13, 64})
      for (const Index n : {1, 4, 8, 15, 16, 17, 32, 70})
        for (const Index k : {1, 3, 16, 64, 530}) product(m, n, k);
    for (const Index keys : {1, 7, 64, 111}) seen(keys, 16);
    matrix(7, 40);
    update(100);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  template <class Number>
  void put(const Number* numbers, Index count) {
    bytes_.append(reinterpret_cast<const char*>(numbers),
                  static_cast<std::size_t>(count) * sizeof(Number));
  }
  void put(double number) { put(&number, 1); }
  void put(const ExcessSums& sums) {
    put(sums.count);
    put(sums.first);
    put(sums.second);
  }

  void row(Index count) {
    const auto scores = normal_vector<Real>(rng_, count, 3),
               other = normal_vector<Real>(rng_, count);
    AlignedVector<Real> copies(scores.size()), values(scores.size());
    AlignedVector<std::int32_t> places(scores.size());
    for (std::size_t j = 0; j < copies.size(); ++j) {
      copies[j] = static_cast<Real>(rng_.below(3));
      places[j] = static_cast<std::int32_t>(j);
    }
    const Real largest = kernels_.largest(scores.data(), count), tau = Real(-0.3);
    put(static_cast<double>(largest));
    put(static_cast<double>(kernels_.largest_present(scores.data(), copies.data(), count)));
    put(kernels_.inner_product(scores.data(), other.data(), count));
    put(kernels_.exponentials(scores.data(), count, largest, Real(0.7), values.data()));
    put(values.data(), count);
    put(kernels_.counted_exponentials(scores.data(), copies.data(), count, Real(1), values.data()));
    put(values.data(), count);
    kernels_.scale(values.data(), count, Real(0.3));
    kernels_.add(other.data(), count, values.data());
    put(values.data(), count);
    put(kernels_.excess_sums(scores.data(), nullptr, count, Real(0.5), largest, tau));
    put(kernels_.excess_sums(scores.data(), copies.data(), count, Real(0.5), largest, tau));
    for (const int power : {1, 2}) {
      AlignedVector<Real> dweights = other;
      kernels_.excess_weights(scores.data(), count, Real(0.5), largest, tau, Real(1.1), power,
                              values.data());
      put(values.data(), count);
      kernels_.entmax_backward(values.data(), count, power == 2, dweights.data());
      put(dweights.data(), count);
      kernels_.softmax_backward(values.data(), count, dweights.data());
      put(dweights.data(), count);
    }
    AlignedVector<Real> slopes = other;
    std::vector<double> sums(21, 0.5);
    kernels_.add_weighted_rows(scores.data(), places.data(), count - 20, other.data(), 1, 21,
                               sums.data());
    put(sums.data(), 21);
    kernels_.gelu(scores.data(), count, values.data());
    put(values.data(), count);
    kernels_.gelu_backward(scores.data(), count, slopes.data());
    put(slopes.data(), count);
    kernels_.linear_bias(Real(1) / 3, static_cast<std::int32_t>(count), places.data(), count,
                         slopes.data());
    put(slopes.data(), count);
  }

  void product(Index m, Index n, Index k) {
    for (const bool a_transposed : {false, true})
      for (const bool b_transposed : {false, true})
        for (const bool add : {false, true}) {
          const auto a =
              a_transposed ? normal_matrix<Real>(rng_, k, m) : normal_matrix<Real>(rng_, m, k);
          const auto b =
              b_transposed ? normal_matrix<Real>(rng_, n, k) : normal_matrix<Real>(rng_, k, n);
          auto c = normal_matrix<Real>(rng_, m, n);
          AlignedVector<Real> scratch(static_cast<std::size_t>(kernels_.product_scratch(k)));
          kernels_.product(a.view(), a_transposed, b.view(), b_transposed, c.view(), add, nullptr,
                           scratch.data());
          put(c.numbers.data(), m * n);
        }
  }

  /// Where every query sees the keys up to its own place.
  void seen(Index keys, Index d) {
    std::vector<Index> places(static_cast<std::size_t>(keys));
    std::iota(places.begin(), places.end(), Index{0});
    auto scores = normal_matrix<Real>(rng_, keys, keys);
    for (Index i = 0; i < keys; ++i)
      std::fill(scores.view().row(i) + i + 1, scores.view().row(i) + keys, Real(0));
    const auto b = normal_matrix<Real>(rng_, keys, d);
    for (const bool transposed : {false, true}) {
      auto c = normal_matrix<Real>(rng_, keys, d);
      AlignedVector<Real> scratch(static_cast<std::size_t>(kernels_.product_scratch(keys)));
      kernels_.product(scores.view(), transposed, b.view(), false, c.view(), true, places.data(),
                       scratch.data());
      put(c.numbers.data(), keys * d);
    }
    auto c = normal_matrix<Real>(rng_, keys, keys);
    AlignedVector<Real> scratch(static_cast<std::size_t>(kernels_.product_scratch(d)));
    kernels_.product(b.view(), false, b.view(), true, c.view(), false, places.data(),
                     scratch.data());
    for (Index i = 0; i < keys; ++i) put(c.view().row(i), i + 1);
  }

  void matrix(Index rows, Index d) {
    const auto x = normal_matrix<Real>(rng_, rows, d), dy = normal_matrix<Real>(rng_, rows, d);
    const auto gain = normal_vector<Real>(rng_, d);
    auto y = dy, dx = x;
    AlignedVector<Real> inverse_rms(static_cast<std::size_t>(rows)), dgain = gain;
    kernels_.rmsnorm(x.view(), gain.data(), y.view(), inverse_rms.data());
    put(y.numbers.data(), rows * d);
    kernels_.rmsnorm_backward(x.view(), gain.data(), inverse_rms.data(), dy.view(), dx.view(),
                              dgain.data());
    put(dx.numbers.data(), rows * d);
    put(dgain.data(), d);
  }

  void update(Index count) {
    const auto gradient = normal_vector<Real>(rng_, count);
    auto first = normal_vector<Real>(rng_, count), second = normal_vector<Real>(rng_, count),
         weights = normal_vector<Real>(rng_, count), average = weights;
    for (Real& number : second) number *= number;
    kernels_.adam({0.9f, 0.99f, 0.7f, 0.01f, 1.5f, 0.999f}, gradient.data(), count, first.data(),
                  second.data(), weights.data());
    kernels_.average(weights.data(), count, Real(0.99), average.data());
    for (const auto* numbers : {&first, &second, &weights, &average}) put(numbers->data(), count);
  }

  const Kernels<Real>& kernels_;
  Rng rng_ = random_numbers(9);
  std::string bytes_;
};

}  // namespace

namespace {

template <class Real>
void check_kept(const Kernels<Real>& kernels, Index count, Real floor) {
  Rng rng = random_numbers(4);
  AlignedVector<Real> scores = normal_vector<Real>(rng, count), expected;
  if (count > 3) scores[3] = std::numeric_limits<Real>::quiet_NaN();
  if (count > 4) scores[4] = floor;
  std::vector<std::int32_t> of, expected_places, expected_of;
  for (Index j = 0; j < count; ++j) {
    of.push_back(static_cast<std::int32_t>(3 * j));
    if (!(scores[static_cast<std::size_t>(j)] > floor)) continue;
    expected.push_back(scores[static_cast<std::size_t>(j)]);
    expected_places.push_back(static_cast<std::int32_t>(7 + j));
    expected_of.push_back(of.back());
  }
  const auto room = static_cast<std::size_t>(count + 16);
  AlignedVector<Real> kept(room);
  std::vector<std::int32_t> places(room);
  const auto number = static_cast<std::size_t>(
      kernels.keep_above(scores.data(), nullptr, 7, count, floor, kept.data(), places.data()));
  kept.resize(number);
  places.resize(number);
  CHECK(kept == expected);
  CHECK(places == expected_places);
  // In place.
  scores.resize(room);
  of.resize(room);
  CHECK(kernels.keep_above(scores.data(), of.data(), 0, count, floor, scores.data(), of.data()) ==
        static_cast<Index>(number));
  scores.resize(number);
  of.resize(number);
  CHECK(scores == expected);
  CHECK(of == expected_of);
}

/// The largest of all, and of those present, wherever in the lanes they stand.
template <class Real>
void check_largest(const Kernels<Real>& kernels, Index count) {
  constexpr Real nothing = -std::numeric_limits<Real>::infinity();
  AlignedVector<Real> values(static_cast<std::size_t>(count), Real(-2)), copies(values.size(), 1);
  CHECK(kernels.largest_present(values.data(), copies.data(), count) ==
        (count == 0 ? nothing : Real(-2)));
  for (std::size_t j = 0; j < values.size(); ++j) {
    values[j] = 3;
    CHECK(kernels.largest(values.data(), count) == 3);
    CHECK(kernels.largest_present(values.data(), copies.data(), count) == 3);
    copies[j] = 0;
    CHECK(kernels.largest_present(values.data(), copies.data(), count) ==
          (count == 1 ? nothing : Real(-2)));
    values[j] = -2;
    copies[j] = 1;
  }
  std::fill(copies.begin(), copies.end(), Real(0));
  CHECK(kernels.largest_present(values.data(), copies.data(), count) == nothing);
}

template <class Real>
void check_weighted_rows(const Kernels<Real>& kernels, Index width) {
  constexpr Index count = 9, stride = 40;
  Rng rng = random_numbers(5);
  AlignedVector<Real> weights = normal_vector<Real>(rng, count),
                      rows = normal_vector<Real>(rng, 3 * count * stride);
  const std::vector<std::int32_t> places{25, 3, 3, 0, 26, 11, 4, 5, 6};
  weights[4] = 0;  // what it stands for is not a number, and does not show
  rows[26 * stride] = std::numeric_limits<Real>::quiet_NaN();
  std::vector<double> sums(static_cast<std::size_t>(width), 0.25), expected = sums;
  kernels.add_weighted_rows(weights.data(), places.data(), count, rows.data(), stride, width,
                            sums.data());
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t j = 0; weights[k] != 0 && j < expected.size(); ++j)
      expected[j] +=
          static_cast<double>(weights[k] * rows[static_cast<std::size_t>(places[k] * stride) + j]);
  CHECK(sums == expected);
}

}  // namespace

TEST_CASE("what is above a floor is kept in order, with its place", "[unit]") {
  for (const Engine* engine : engines())
    for (const Index count : {0, 1, 7, 8, 15, 16, 17, 100, 128, 1000})
      for (const float floor : {-infinity, -0.5f, 1.0f, 100.0f}) {
        INFO(engine->name << ", " << count << " above " << floor);
        check_kept<float>(engine->single, count, floor);
        check_kept<double>(engine->twice, count, static_cast<double>(floor));
      }
}

TEST_CASE("the largest is found in every lane, absent ones aside", "[unit]") {
  for (const Engine* engine : engines())
    for (const Index count : {0, 1, 3, 8, 15, 16, 17, 33}) {
      INFO(engine->name << ", " << count);
      check_largest<float>(engine->single, count);
      check_largest<double>(engine->twice, count);
    }
}

TEST_CASE("weighted rows are added in order, in double", "[unit]") {
  for (const Engine* engine : engines())
    for (const Index width : {1, 5, 15, 16, 17, 32, 40}) {
      INFO(engine->name << ", " << width << " wide");
      check_weighted_rows<float>(engine->single, width);
      check_weighted_rows<double>(engine->twice, width);
    }
}

TEST_CASE("every kernel gives the same bytes under every instruction set that fuses",
          "[property]") {
  const Engine* first = nullptr;
  std::string single, twice;
  for (const Engine* engine : engines()) {
    if (!engine->fused) continue;
    INFO(engine->name << " beside " << (first ? first->name : "nothing"));
    const Trace<float> floats(engine->single);
    const Trace<double> doubles(engine->twice);
    if (!first) {
      first = engine;
      single = floats.bytes();
      twice = doubles.bytes();
    }
    // Not CHECK(a == b): it would print megabytes.
    CHECK((floats.bytes() == single));
    CHECK((doubles.bytes() == twice));
  }
}
