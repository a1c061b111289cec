#include "attention/key_sieve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "ops/engine.hpp"

namespace attnspan {
namespace {

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
  spans_ = (stretches_ + span - 1) / span;
  const auto of_vectors = static_cast<Index>(vectors.size());
  const Index parts = of_vectors * stretches_;
  const auto stretch_keys = [&](Index at) { return this->keys(at / stretches_, at % stretches_); };
  std::vector<Extent> extents(static_cast<std::size_t>(parts));
  parallel_for(parts,
               [&](Index at) { extents[static_cast<std::size_t>(at)] = extent(stretch_keys(at)); });
  scales_.clear();
  for (Index of_vector = 0; of_vector < of_vectors; ++of_vector)
    for (Index first = 0; first < stretches_; first += span)
      scales_.push_back(scale({extents.data() + part(of_vector, first),
                               static_cast<std::size_t>(std::min(span, stretches_ - first))}));
  sizes_.resize(static_cast<std::size_t>(parts));
  bytes_ = reserve(byte_memory_, parts, stretch * depth_);
  parallel_for(parts, [&](Index at) {
    sizes_[static_cast<std::size_t>(at)] = take_stretch(
        stretch_keys(at), scale(at / stretches_, at % stretches_ / span), bytes_.row(at));
  });
}

template <class Real>
typename KeySieve<Real>::Extent KeySieve<Real>::extent(ConstMatrixView<Real> keys) {
  Extent extent;
  extent.low.assign(keys.row(0), keys.row(0) + keys.cols);
  extent.high = extent.low;
  double sum = 0;
  for (Index i = 0; i < keys.rows; ++i)
    for (Index j = 0; j < keys.cols; ++j) {
      const Real number = keys.row(i)[j];
      const auto at = static_cast<std::size_t>(j);
      extent.low[at] = std::min(extent.low[at], number);
      extent.high[at] = std::max(extent.high[at], number);
      sum += std::abs(static_cast<double>(number));  // comparisons pass over what is no number
    }
  extent.finite = std::isfinite(sum);
  return extent;
}

template <class Real>
typename KeySieve<Real>::Scale KeySieve<Real>::scale(std::span<const Extent> extents) {
  Scale scale;
  double squares = 0;
  for (std::size_t j = 0; j < extents.front().low.size(); ++j) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Extent& extent : extents) {
      low = std::min(low, static_cast<double>(extent.low[j]));
      high = std::max(high, static_cast<double>(extent.high[j]));
    }
    scale.centre.push_back((low + high) / 2);
    scale.scale.push_back((high - low) / 254);
    squares += std::max(high * high, low * low);
  }
  const bool finite =
      std::all_of(extents.begin(), extents.end(), [](const Extent& e) { return e.finite; });
  scale.size = finite ? std::sqrt(squares) : std::numeric_limits<double>::infinity();
  return scale;
}

template <class Real>
typename KeySieve<Real>::Sizes KeySieve<Real>::take_stretch(ConstMatrixView<Real> keys,
                                                            const Scale& scale,
                                                            std::uint8_t* bytes) const {
  if (!std::isfinite(scale.size)) return {};
  std::vector<double> inverse;
  for (const double unit : scale.scale) inverse.push_back(unit > 0 ? 1 / unit : 0);
  std::fill_n(bytes, stretch * depth_, std::uint8_t{128});
  double error = 0, most_error = 0, norm = 0;
  for (Index i = 0; i < keys.rows; ++i) {
    double of_error = 0, of_bytes = 0;
    std::uint8_t* block_bytes = bytes + i / sifted * sifted * depth_;
    for (Index j = 0; j < width_; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const double units = (static_cast<double>(keys.row(i)[j]) - scale.centre[at]) * inverse[at];
      const double whole = std::clamp(std::nearbyint(units), -127.0, 127.0), off = units - whole;
      block_bytes[sifted_place(i % sifted, j)] =
          static_cast<std::uint8_t>(static_cast<int>(whole) + 128);
      of_error += off * off;
      of_bytes += whole * whole;
      most_error = std::max(most_error, std::abs(off));
    }
    error = std::max(error, of_error);
    norm = std::max(norm, of_bytes);
  }
  return {std::sqrt(error) * a_little_more, most_error * a_little_more,
          std::sqrt(norm) * a_little_more};
}

template <class Real>
void KeySieve<Real>::Tile::open(const KeySieve& sieve, Index vector,
                                ConstMatrixView<Real> queries) {
  sieve_ = &sieve;
  of_vector_ =
      std::find(sieve.vectors_.begin(), sieve.vectors_.end(), vector) - sieve.vectors_.begin();
  of_span_ = -1;
  queries_ = queries;
  const auto rows = static_cast<std::size_t>(queries.rows);
  bytes_.assign(rows * static_cast<std::size_t>(sieve.depth_), 0);
  rows_.resize(rows);
  starts_.resize(rows);
  bounded_.resize(rows);
  constexpr Index spare = 16;  // that keep_products writes over
  passed_.resize(rows * static_cast<std::size_t>(blocks));
  for (Listed& listed : listed_) listed.places.resize(static_cast<std::size_t>(stretch + spare));
  scores_.resize(static_cast<std::size_t>(most + spare));
  scratch_.resize(static_cast<std::size_t>(spare * sieve.width_));
}

// With x_j = query_j scale_j = unit (byte_j + rest_j), the score is
//   <query, centre> + unit <bytes, key's bytes> + unit <rest, key's bytes> + <x, key's error>.
// The last two are bounded by norms, or by sums of sizes where those are smaller; rounding of the
// score and of all this as KeyBounds has it.
template <class Real>
typename KeySieve<Real>::Tile::Row KeySieve<Real>::Tile::prepare(Index row, const Scale& scale,
                                                                 std::int8_t* bytes) const {
  const Real* query = queries_.row(row);
  const Index width = sieve_->width_;
  double largest = 0, squares = 0, query_squares = 0;
  Row own{};
  for (Index j = 0; j < width; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const auto number = static_cast<double>(query[j]);
    const double x = number * scale.scale[at];
    largest = std::max(largest, std::abs(x));
    own.sum += std::abs(x);
    squares += x * x;
    query_squares += number * number;
    own.at_centre += number * scale.centre[at];
  }
  own.bounded = std::isfinite(scale.size) && std::isfinite(own.sum);
  if (!own.bounded) return own;  // no byte stands for such a query
  own.unit = largest > 0 ? largest / 127 : 1;
  double rest_squares = 0;
  for (Index j = 0; j < width; ++j) {
    const double x = static_cast<double>(query[j]) * scale.scale[static_cast<std::size_t>(j)];
    const double whole = std::clamp(std::nearbyint(x / own.unit), -127.0, 127.0);
    const double rest = x - own.unit * whole;
    bytes[j] = static_cast<std::int8_t>(-whole);
    own.whole_sum += static_cast<std::int32_t>(whole);
    own.rest_sum += std::abs(rest);
    rest_squares += rest * rest;
  }
  own.norm = std::sqrt(squares);
  own.rest_norm = std::sqrt(rest_squares);
  own.slack = 2 * std::sqrt(query_squares) * scale.size * static_cast<double>(width + 16) *
              static_cast<double>(std::numeric_limits<Real>::epsilon());
  return own;
}

// A key passes if the sum of its products of bytes, of which the row's are negated, is below 0 when
// begun at `start`.
template <class Real>
bool KeySieve<Real>::Tile::start(const Row& row, const Sizes& sizes, double floor,
                                 std::int32_t& start) const {
  const double error = (std::min(row.sum * sizes.most_error, row.norm * sizes.error) +
                        std::min(row.rest_sum * 127, row.rest_norm * sizes.norm)) *
                           a_little_more +
                       row.slack;
  const double above = (floor - row.at_centre - error) / row.unit;
  if (!row.bounded || !std::isfinite(above)) return false;
  constexpr double far = 1e9;
  start = static_cast<std::int32_t>(std::floor(std::clamp(above, -far, far))) + 128 * row.whole_sum;
  return true;
}

template <class Real>
void KeySieve<Real>::Tile::sift(Index of_stretch, std::span<const Real> floors) {
  of_stretch_ = of_stretch;
  floors_ = floors;
  const Index depth = sieve_->depth_, rows = queries_.rows;
  if (of_stretch / span != of_span_) {
    of_span_ = of_stretch / span;
    const Scale& scale = sieve_->scale(of_vector_, of_span_);
    for (Index i = 0; i < rows; ++i)
      rows_[static_cast<std::size_t>(i)] = prepare(i, scale, bytes_.data() + i * depth);
  }
  const Index part = sieve_->part(of_vector_, of_stretch);
  const Sizes& sizes = sieve_->sizes_[static_cast<std::size_t>(part)];
  for (std::size_t i = 0; i < rows_.size(); ++i)
    bounded_[i] = start(rows_[i], sizes, static_cast<double>(floors[i]), starts_[i]);
  engine().sift(bytes_.data(), starts_.data(), rows, sieve_->bytes_.row(part), depth, blocks,
                passed_.data());
  for (Listed& listed : listed_) listed.row = -1;
}

template <class Real>
typename KeySieve<Real>::Tile::Listed& KeySieve<Real>::Tile::list(Index row) {
  Listed& listed = listed_[row % 2];
  if (listed.row == row) return listed;
  listed.row = row;
  listed.count = engine().list_passed(passed_.data() + row * blocks, blocks, listed.places.data());
  const Real* keys = sieve_->keys(of_vector_, of_stretch_).data;
  for (Index k = 0; k < std::min(listed.count, most); ++k)
    __builtin_prefetch(keys + listed.places[static_cast<std::size_t>(k)] * sieve_->width_);
  return listed;
}

template <class Real>
Index KeySieve<Real>::Tile::found(Index row) {
  const auto at = static_cast<std::size_t>(row);
  if (!bounded_[at]) return -1;
  found_ = &list(row);
  // Keys of a long sequence are far from the processor: those of the next row are on their way
  // while this one's are scored.
  if (row + 1 < queries_.rows) list(row + 1);
  if (found_->count > most) return -1;
  const Real* keys = sieve_->keys(of_vector_, of_stretch_).data;
  found_->row = -1;  // its places become those of the keys that are kept
  return kernels<Real>().keep_products(queries_.row(row), sieve_->width_, keys,
                                       found_->places.data(), found_->count, floors_[at],
                                       scores_.data(), scratch_.data());
}

template class KeySieve<float>;
template class KeySieve<double>;

}  // namespace attnspan
