#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/rng.hpp"
#include "ops/matrix.hpp"

/// Random numbers that a test names by one number; the stream is that of benchmarks, which shares
/// nothing with training or evaluation.
inline attnspan::Rng random_numbers(std::uint64_t name) {
  return attnspan::Rng(name, attnspan::Stream::benchmark);
}

/// A matrix that owns its numbers.
template <class Real>
struct Dense {
  attnspan::Index rows = 0, cols = 0;
  attnspan::AlignedVector<Real> numbers;

  Dense() = default;
  Dense(attnspan::Index rows_, attnspan::Index cols_, Real value = 0)
      : rows(rows_), cols(cols_), numbers(static_cast<std::size_t>(rows_ * cols_), value) {}

  Real& operator()(attnspan::Index i, attnspan::Index j) {
    return numbers[static_cast<std::size_t>(i * cols + j)];
  }
  Real operator()(attnspan::Index i, attnspan::Index j) const {
    return numbers[static_cast<std::size_t>(i * cols + j)];
  }
  attnspan::MatrixView<Real> view() { return {numbers.data(), rows, cols}; }
  attnspan::MatrixView<const Real> view() const { return {numbers.data(), rows, cols}; }
};

template <class Numbers>
void fill_normal(attnspan::Rng& rng, double mean, double deviation, Numbers& numbers) {
  for (auto& number : numbers)
    number = static_cast<std::decay_t<decltype(number)>>(mean + deviation * rng.normal());
}

template <class Real = double>
Dense<Real> normal_matrix(attnspan::Rng& rng, attnspan::Index rows, attnspan::Index cols,
                          double deviation = 1) {
  Dense<Real> matrix(rows, cols);
  fill_normal(rng, 0, deviation, matrix.numbers);
  return matrix;
}

template <class Real = double>
attnspan::AlignedVector<Real> normal_vector(attnspan::Rng& rng, attnspan::Index count,
                                            double deviation = 1) {
  return normal_matrix<Real>(rng, 1, count, deviation).numbers;
}

/// The largest absolute difference; infinite where the lengths differ or one side is not finite.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest))
      largest = std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
  }
  return largest;
}

template <class A, class B>
double inner_product_of(const A& a, const B& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}
