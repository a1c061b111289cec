#include "attention/key_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "ops/product.hpp"

namespace attnspan {

template <class Real>
void KeyBounds<Real>::bound(MatrixView<const Real> keys, Index head, Index b, Real* corner) {
  const Index width = width_, first = b * block, end = std::min(keys.rows, first + block);
  Real *high = corner, *low = corner + width;
  std::copy_n(keys.row(first), width, high);
  std::copy_n(keys.row(first), width, low);
  Real longest = 0, sum = 0;  // squared
  for (Index i = first; i < end; ++i) {
    const Real* key = keys.row(i);
    Real squares = 0;
    for (Index j = 0; j < width; ++j) {
      high[j] = high[j] < key[j] ? key[j] : high[j];
      low[j] = key[j] < low[j] ? key[j] : low[j];
      squares += key[j] * key[j];
    }
    longest = std::max(longest, squares);
    sum += squares;
  }
  Real* corners = corners_.data() + (b / run * heads_ + head) * 2 * width * run + b % run;
  Real squares = 0;
  for (Index j = 0; j < width; ++j) {
    corners[j * run] = high[j];
    corners[(width + j) * run] = low[j];
    const Real size = std::max(high[j], -low[j]);
    squares += size * size;
  }
  // Comparisons pass over what is not a number; sums do not.
  if (!std::isfinite(sum)) squares = std::numeric_limits<Real>::quiet_NaN();
  lengths_[static_cast<std::size_t>(head * blocks_ + b)] = longest;
  sizes_[static_cast<std::size_t>(head * blocks_ + b)] = squares;
}

// Block by block on all threads; then, in order, what is the largest so far.
template <class Real>
void KeyBounds<Real>::take(const std::vector<MatrixView<Real>>& keys) {
  const auto heads = static_cast<Index>(keys.size());
  const Index width = keys.front().cols, tokens = keys.front().rows;
  const Index blocks = (tokens + block - 1) / block;
  width_ = width;
  blocks_ = blocks;
  heads_ = heads;
  const Index runs = (blocks + run - 1) / run;
  corners_.resize(static_cast<std::size_t>(runs * heads * 2 * width * run));
  lengths_.resize(static_cast<std::size_t>(heads * blocks));
  sizes_.resize(lengths_.size());
  parallel_for(runs, [&](Index r) {
    AlignedVector<Real> corner(static_cast<std::size_t>(2 * width));
    for (Index b = r * run; b < std::min(blocks, (r + 1) * run); ++b)
      for (Index head = 0; head < heads; ++head)
        bound(keys[static_cast<std::size_t>(head)], head, b, corner.data());
  });
  for (Index head = 0; head < heads; ++head) {
    Real longest = 0, largest = 0;
    for (Index b = 0; b < blocks; ++b) {
      const auto at = static_cast<std::size_t>(head * blocks + b);
      longest = std::max(longest, lengths_[at]);
      if (!(sizes_[at] <= largest)) largest = std::isnan(largest) ? largest : sizes_[at];
      lengths_[at] = std::sqrt(longest);
      sizes_[at] = std::sqrt(largest);
    }
  }
}

template <class Real>
void KeyBounds<Real>::Tile::open(const KeyBounds& keys, Index head, ConstMatrixView<Real> queries) {
  const Index width = keys.width_;
  keys_ = &keys;
  head_ = head;
  rows_ = queries.rows;
  reached_ = -1;
  lengths_ = keys.lengths_.data() + head * keys.blocks_;
  sizes_ = keys.sizes_.data() + head * keys.blocks_;
  rounding_ = static_cast<Real>(width + 16) * std::numeric_limits<Real>::epsilon();
  norms_.resize(static_cast<std::size_t>(queries.rows));
  const auto signs = reserve(signs_, queries.rows, 2 * width);
  for (Index i = 0; i < queries.rows; ++i) {
    const Real* query = queries.row(i);
    Real squares = 0;
    for (Index j = 0; j < width; ++j) {
      signs.row(i)[j] = std::max(query[j], Real(0));
      signs.row(i)[width + j] = std::min(query[j], Real(0));
      squares += query[j] * query[j];
    }
    norms_[static_cast<std::size_t>(i)] = std::sqrt(squares);
  }
}

// With q+ and q- the positive and negative parts of a query, q+ . largest + q- . smallest bounds
// its product with every key of a block; one product gives those of the tile with a run of blocks.
// Many tiles are done after one run, those of a head that looks near alone.
template <class Real>
void KeyBounds<Real>::Tile::reach(Index of_block) {
  if (of_block / run == reached_) return;
  reached_ = of_block / run;
  const Index width = keys_->width_;
  product<Real>({signs_.data(), rows_, 2 * width},
                {keys_->corners_.data() + (reached_ * keys_->heads_ + head_) * 2 * width * run,
                 2 * width, std::min(run, keys_->blocks_ - reached_ * run), run},
                {reserve(upper_, rows_, run).data, rows_,
                 std::min(run, keys_->blocks_ - reached_ * run), run});
}

// What rounding can take from a bound, or add to a score, is relative to the products they are sums
// of. |q||k| bounds the sum of the sizes of a score's products, |q| times the norm of the block's
// largest coordinates that of a bound's; a sum of `width` of them is off by less than `width` units
// in the last place of that, and norms, bias and their sums by a few more.
template <class Real>
Real KeyBounds<Real>::Tile::slack(Index row, Index of_block, Real bias) const {
  return (norms_[static_cast<std::size_t>(row)] * sizes_[static_cast<std::size_t>(of_block)] +
          std::abs(bias)) *
         rounding_;
}

template class KeyBounds<float>;
template class KeyBounds<double>;

}  // namespace attnspan
