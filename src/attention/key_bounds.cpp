#include "attention/key_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "ops/product.hpp"

namespace attnspan {

template <class Real>
void KeyBounds<Real>::take(ConstMatrixView<Real> keys, Index heads) {
  const Index width = keys.cols / heads, blocks = (keys.rows + block - 1) / block;
  width_ = width;
  blocks_ = blocks;
  corners_.assign(static_cast<std::size_t>(heads * 2 * width * blocks), Real(0));
  lengths_.assign(static_cast<std::size_t>(heads * blocks), Real(0));
  sizes_ = lengths_;
  parallel_for(heads, [&](Index head) {
    Real longest = 0, largest = 0;  // squared, over this and earlier blocks
    for (Index b = 0; b < blocks; ++b) {
      Real* corner = corners_.data() + head * 2 * width * blocks + b;
      const Index first = b * block, end = std::min(keys.rows, first + block);
      for (Index j = 0; j < width; ++j)
        corner[j * blocks] = corner[(width + j) * blocks] = keys.row(first)[head * width + j];
      Real all_squares = 0;
      for (Index i = first; i < end; ++i) {
        const Real* key = keys.row(i) + head * width;
        Real squares = 0;
        for (Index j = 0; j < width; ++j) {
          corner[j * blocks] = std::max(corner[j * blocks], key[j]);
          corner[(width + j) * blocks] = std::min(corner[(width + j) * blocks], key[j]);
          squares += key[j] * key[j];
        }
        longest = std::max(longest, squares);
        all_squares += squares;
      }
      Real squares = 0;
      for (Index j = 0; j < width; ++j) {
        const Real size = std::max(corner[j * blocks], -corner[(width + j) * blocks]);
        squares += size * size;
      }
      // Comparisons pass over what is not a number; sums do not.
      if (!std::isfinite(all_squares)) squares = std::numeric_limits<Real>::quiet_NaN();
      if (!(squares <= largest)) largest = std::isnan(largest) ? largest : squares;
      const auto at = static_cast<std::size_t>(head * blocks + b);
      lengths_[at] = std::sqrt(longest);
      sizes_[at] = std::sqrt(largest);
    }
  });
}

template <class Real>
void KeyBounds<Real>::Tile::bound(const KeyBounds& keys, Index head, ConstMatrixView<Real> queries,
                                  Index blocks) {
  const Index width = keys.width_;
  blocks_ = blocks;
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
  // With q+ and q- the positive and negative parts of a query, q+ . largest + q- . smallest bounds
  // its product with every key of a block; one product gives all bounds of the tile.
  product<Real>(
      signs,
      {keys.corners_.data() + head * 2 * width * keys.blocks_, 2 * width, blocks, keys.blocks_},
      reserve(upper_, queries.rows, blocks));
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
