#include "attention/key_sieve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "ops/engine.hpp"

namespace attnspan {
namespace {

constexpr Index group = 16;  // keys

/// For what rounding does to a bound that is worked out in double.
constexpr double a_little_more = 1 + 1e-9;

}  // namespace

template <class Real>
bool KeySieve<Real>::pays() {
  return engine().sift_pays();
}

template <class Real>
void KeySieve<Real>::take(const std::vector<MatrixView<Real>>& keys,
                          std::span<const Index> vectors) {
  width_ = keys.front().cols;
  depth_ = (width_ + 3) / 4 * 4;
  vectors_.assign(vectors.begin(), vectors.end());
  keys_.clear();
  for (const Index vector : vectors) keys_.push_back(keys[static_cast<std::size_t>(vector)]);
  stretches_ = vectors.empty() ? 0 : keys.front().rows / stretch;
  const Index parts = static_cast<Index>(vectors.size()) * stretches_;
  scales_.resize(static_cast<std::size_t>(parts));
  bytes_ = reserve(byte_memory_, parts, stretch * depth_);
  parallel_for(parts, [&](Index part) {
    take_stretch(this->keys(part / stretches_, part % stretches_),
                 scales_[static_cast<std::size_t>(part)], bytes_.row(part));
  });
}

template <class Real>
void KeySieve<Real>::take_stretch(ConstMatrixView<Real> keys, Scale& scale,
                                  std::uint8_t* bytes) const {
  std::vector<double> low(keys.row(0), keys.row(0) + width_), high = low;
  double sum = 0, squares = 0;
  for (Index i = 0; i < keys.rows; ++i)
    for (Index j = 0; j < width_; ++j) {
      const auto number = static_cast<double>(keys.row(i)[j]);
      const auto at = static_cast<std::size_t>(j);
      low[at] = std::min(low[at], number);
      high[at] = std::max(high[at], number);
      sum += std::abs(number);  // comparisons pass over what is not a number, sums do not
    }
  for (std::size_t j = 0; j < low.size(); ++j)
    squares += std::max(high[j] * high[j], low[j] * low[j]);
  scale.size = std::isfinite(sum) ? std::sqrt(squares) : sum;
  if (!std::isfinite(scale.size)) return;

  scale.centre.resize(low.size());
  scale.scale.resize(low.size());
  std::vector<double> inverse(low.size());
  for (std::size_t j = 0; j < low.size(); ++j) {
    scale.centre[j] = (low[j] + high[j]) / 2;
    scale.scale[j] = (high[j] - low[j]) / 254;
    inverse[j] = scale.scale[j] > 0 ? 1 / scale.scale[j] : 0;
  }
  std::fill_n(bytes, stretch * depth_, std::uint8_t{128});
  double error = 0, most_error = 0, norm = 0;
  for (Index i = 0; i < keys.rows; ++i) {
    double of_error = 0, of_bytes = 0;
    std::uint8_t* to = bytes + i / group * group * depth_ + i % group * 4;
    for (Index j = 0; j < width_; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const double units = (static_cast<double>(keys.row(i)[j]) - scale.centre[at]) * inverse[at];
      const double whole = std::clamp(std::nearbyint(units), -127.0, 127.0), off = units - whole;
      to[j / 4 * 4 * group + j % 4] = static_cast<std::uint8_t>(static_cast<int>(whole) + 128);
      of_error += off * off;
      of_bytes += whole * whole;
      most_error = std::max(most_error, std::abs(off));
    }
    error = std::max(error, of_error);
    norm = std::max(norm, of_bytes);
  }
  scale.error = std::sqrt(error) * a_little_more;
  scale.most_error = most_error * a_little_more;
  scale.norm = std::sqrt(norm) * a_little_more;
}

template <class Real>
void KeySieve<Real>::Tile::open(const KeySieve& sieve, Index vector,
                                ConstMatrixView<Real> queries) {
  sieve_ = &sieve;
  of_vector_ =
      std::find(sieve.vectors_.begin(), sieve.vectors_.end(), vector) - sieve.vectors_.begin();
  queries_ = queries;
  const auto rows = static_cast<std::size_t>(queries.rows);
  bytes_.resize(rows * static_cast<std::size_t>(sieve.depth_));
  starts_.resize(rows);
  bounded_.resize(rows);
  passed_.resize(rows * static_cast<std::size_t>(stretch / group));
  places_.resize(static_cast<std::size_t>(stretch + group));
  scores_.resize(static_cast<std::size_t>(most + group));
  scratch_.resize(static_cast<std::size_t>(group * sieve.width_));
}

// With x_j = query_j scale_j = t (byte_j + rest_j), the score is
//   <query, centre> + t <bytes, key's bytes> + t <rest, key's bytes> + <x, key's error>.
// The last two are bounded by norms, or by sums of sizes where those are smaller; rounding of the
// score and of all this as KeyBounds has it. A key passes if the sum of its products of bytes,
// begun at `start`, is above 0.
template <class Real>
bool KeySieve<Real>::Tile::prepare(Index row, Real floor, std::int8_t* bytes, std::int32_t& start) {
  const Scale& scale =
      sieve_->scales_[static_cast<std::size_t>(sieve_->part(of_vector_, of_stretch_))];
  if (!std::isfinite(scale.size)) return false;
  const Real* query = queries_.row(row);
  const Index width = sieve_->width_;
  double largest = 0, sum = 0, squares = 0, at_centre = 0, query_squares = 0;
  for (Index j = 0; j < width; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const auto number = static_cast<double>(query[j]);
    const double x = number * scale.scale[at];
    largest = std::max(largest, std::abs(x));
    sum += std::abs(x);
    squares += x * x;
    query_squares += number * number;
    at_centre += number * scale.centre[at];
  }
  if (!std::isfinite(sum)) return false;  // no byte stands for such a query
  const double unit = largest > 0 ? largest / 127 : 1, inverse = 1 / unit;
  double rest_sum = 0, rest_squares = 0;
  std::int32_t whole_sum = 0;
  for (Index j = 0; j < width; ++j) {
    const double x = static_cast<double>(query[j]) * scale.scale[static_cast<std::size_t>(j)];
    const double whole = std::clamp(std::nearbyint(x * inverse), -127.0, 127.0);
    const double rest = x - unit * whole;
    bytes[j] = static_cast<std::int8_t>(whole);
    whole_sum += static_cast<std::int32_t>(whole);
    rest_sum += std::abs(rest);
    rest_squares += rest * rest;
  }
  const double slack = 2 * std::sqrt(query_squares) * scale.size * static_cast<double>(width + 16) *
                       static_cast<double>(std::numeric_limits<Real>::epsilon());
  const double error = (std::min(sum * scale.most_error, std::sqrt(squares) * scale.error) +
                        std::min(rest_sum * 127, std::sqrt(rest_squares) * scale.norm)) *
                           a_little_more +
                       slack;
  const double above = (static_cast<double>(floor) - at_centre - error) * inverse;
  if (!std::isfinite(above)) return false;
  constexpr double far = 1e9;
  start = -static_cast<std::int32_t>(std::floor(std::clamp(above, -far, far))) - 128 * whole_sum;
  return true;
}

template <class Real>
void KeySieve<Real>::Tile::sift(Index of_stretch, std::span<const Index> rows,
                                std::span<const Real> floors) {
  of_stretch_ = of_stretch;
  rows_ = rows;
  floors_ = floors;
  const Index depth = sieve_->depth_;
  std::fill(bytes_.begin(), bytes_.end(), std::int8_t{0});
  for (std::size_t k = 0; k < rows.size(); ++k)
    bounded_[k] =
        prepare(rows[k], floors[k], bytes_.data() + static_cast<Index>(k) * depth, starts_[k]);
  engine().sift(bytes_.data(), starts_.data(), static_cast<Index>(rows.size()),
                sieve_->bytes_.row(sieve_->part(of_vector_, of_stretch)), depth, stretch / group,
                passed_.data());
}

template <class Real>
Index KeySieve<Real>::Tile::found(Index k) {
  if (!bounded_[static_cast<std::size_t>(k)]) return -1;
  const Real* keys = sieve_->keys(of_vector_, of_stretch_).data;
  constexpr Index groups = stretch / group;
  static_assert(block == 8 * group && groups <= 256);
  const Index number = engine().list_passed(passed_.data() + k * groups, groups, places_.data());
  if (number > most) return -1;
  const auto at = static_cast<std::size_t>(k);
  const Index row = rows_[at];
  return kernels<Real>().keep_products(queries_.row(row), sieve_->width_, keys, places_.data(),
                                       number, floors_[at], scores_.data(), scratch_.data());
}

template class KeySieve<float>;
template class KeySieve<double>;

}  // namespace attnspan
