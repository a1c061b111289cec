#pragma once

#include "ops/kernels/lanes.hpp"

namespace attnspan {
namespace {

/// Rows and panels of the result that are worked out together: as many sums as the registers hold
/// beside a row of panels.
#if defined(__AVX512F__)
constexpr int tile_rows = 8, tile_panels = 2;
#elif defined(__ARM_NEON)
constexpr int tile_rows = 6, tile_panels = 1;
#elif defined(__AVX2__)
constexpr int tile_rows = 6, tile_panels = 1;
#else
constexpr int tile_rows = 3, tile_panels = 1;
#endif

/// Left factor: element (i, k) is data[i row_stride + k depth_stride], and one of the two is 1.
template <class Real>
struct LeftFactor {
  const Real* data;
  Index row_stride, depth_stride;
};

/// Some panels, each as wide as the lanes, of the right factor: row k of panel p begins at
/// data + p panel_stride + k row_stride.
template <class Real>
struct RightPanels {
  const Real* data;
  Index panel_stride, row_stride;
};

/// The result's part below the panels.
template <class Real>
struct Result {
  Real* data;
  Index row_stride;
  bool add;
};

/// Every element is one chain of multiply-adds in ascending k, from 0. By reference: a copy of what
/// was just written number by number would be read in wider pieces, and wait for them, as long as a
/// short chain takes.
template <int rows, int panels, bool transposed, class Place, class Real>
void multiply_tile(const LeftFactor<Real>& a, const RightPanels<Real>& b, Index depth,
                   const Result<Real>& c, Place last) {
  Lanes<Real> sums[rows][panels];
  repeat<rows>([&](auto i) ATTNSPAN_INLINE {
    repeat<panels>([&](auto p) ATTNSPAN_INLINE { sums[i][p] = Lanes<Real>::all(0); });
  });
  const Real* left = a.data;
  const Real* right = b.data;
  for (Index k = 0; k < depth; ++k) {
    Lanes<Real> row[panels];
    repeat<panels>([&](auto p)
                       ATTNSPAN_INLINE { row[p] = Lanes<Real>::load(right + p * b.panel_stride); });
    repeat<rows>([&](auto i) ATTNSPAN_INLINE {
      const auto element = Lanes<Real>::all(transposed ? left[i] : left[i * a.row_stride]);
      repeat<panels>(
          [&](auto p) ATTNSPAN_INLINE { sums[i][p] = multiply_add(element, row[p], sums[i][p]); });
    });
    left += transposed ? a.depth_stride : 1;
    right += b.row_stride;
  }
  const auto write = [&](const Lanes<Real>& sum, Real* to, auto place)
                         ATTNSPAN_INLINE { store(c.add ? load(to, place) + sum : sum, to, place); };
  repeat<rows>([&](auto i) ATTNSPAN_INLINE {
    Real* to = c.data + i * c.row_stride;
    repeat<panels - 1>(
        [&](auto p) ATTNSPAN_INLINE { write(sums[i][p], to, Whole{p * Lanes<Real>::width}); });
    last.at = (panels - 1) * Lanes<Real>::width;
    write(sums[i][panels - 1], to, last);
  });
}

template <int rows, int panels, bool transposed, class Place, class Real>
void multiply_rest(Index count, const LeftFactor<Real>& a, const RightPanels<Real>& b, Index depth,
                   const Result<Real>& c, Place last) {
  if constexpr (rows > 0) {
    if (count == rows)
      multiply_tile<rows, panels, transposed>(a, b, depth, c, last);
    else
      multiply_rest<rows - 1, panels, transposed>(count, a, b, depth, c, last);
  }
}

/// All rows of the result under one or more panels. With `last_seen` the left factor is 0 at keys
/// beyond it, and chains leave out what is 0 in all rows of a tile.
template <int panels, bool transposed, class Place, class Real>
void multiply_rows(LeftFactor<Real> a, Index rows, RightPanels<Real> b, Index depth, Result<Real> c,
                   const Index* last_seen, Place last) {
  Index begin = 0, end = depth;
  for (Index row = 0; row < rows; row += tile_rows) {
    const Index count = rows - row < tile_rows ? rows - row : tile_rows;
    if (last_seen != nullptr && transposed)
      while (begin < depth && last_seen[begin] < row) ++begin;
    else if (last_seen != nullptr)
      end = last_seen[row + count - 1] + 1;
    const LeftFactor<Real> left{a.data + row * a.row_stride + begin * a.depth_stride, a.row_stride,
                                a.depth_stride};
    const RightPanels<Real> right{b.data + begin * b.row_stride, b.panel_stride, b.row_stride};
    const Result<Real> result{c.data + row * c.row_stride, c.row_stride, c.add};
    multiply_rest<tile_rows, panels, transposed>(count, left, right, end - begin, result, last);
  }
}

/// Of each 16 bytes of two vectors the lower (or upper) halves, number by number in turn.
#if defined(__AVX512F__)
ATTNSPAN_INLINE inline NativeFloats zip_low(NativeFloats a, NativeFloats b) {
  return _mm512_unpacklo_ps(a, b);
}
ATTNSPAN_INLINE inline NativeFloats zip_high(NativeFloats a, NativeFloats b) {
  return _mm512_unpackhi_ps(a, b);
}
ATTNSPAN_INLINE inline NativeDoubles zip_low(NativeDoubles a, NativeDoubles b) {
  return _mm512_unpacklo_pd(a, b);
}
ATTNSPAN_INLINE inline NativeDoubles zip_high(NativeDoubles a, NativeDoubles b) {
  return _mm512_unpackhi_pd(a, b);
}
#elif defined(__AVX2__)
ATTNSPAN_INLINE inline NativeFloats zip_low(NativeFloats a, NativeFloats b) {
  return _mm256_unpacklo_ps(a, b);
}
ATTNSPAN_INLINE inline NativeFloats zip_high(NativeFloats a, NativeFloats b) {
  return _mm256_unpackhi_ps(a, b);
}
ATTNSPAN_INLINE inline NativeDoubles zip_low(NativeDoubles a, NativeDoubles b) {
  return _mm256_unpacklo_pd(a, b);
}
ATTNSPAN_INLINE inline NativeDoubles zip_high(NativeDoubles a, NativeDoubles b) {
  return _mm256_unpackhi_pd(a, b);
}
#else
ATTNSPAN_INLINE inline NativeFloats zip_low(NativeFloats a, NativeFloats b) {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
ATTNSPAN_INLINE inline NativeFloats zip_high(NativeFloats a, NativeFloats b) {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
ATTNSPAN_INLINE inline NativeDoubles zip_low(NativeDoubles a, NativeDoubles b) {
  return __builtin_shufflevector(a, b, 0, 2);
}
ATTNSPAN_INLINE inline NativeDoubles zip_high(NativeDoubles a, NativeDoubles b) {
  return __builtin_shufflevector(a, b, 1, 3);
}
#endif

/// Four floats from each of as many places as a vector has room for.
ATTNSPAN_INLINE inline NativeFloats gather_fours(const float* const* from, Index offset) {
#if defined(__AVX512F__)
  __m512 result = _mm512_castps128_ps512(_mm_loadu_ps(from[0] + offset));
  result = _mm512_insertf32x4(result, _mm_loadu_ps(from[4] + offset), 1);
  result = _mm512_insertf32x4(result, _mm_loadu_ps(from[8] + offset), 2);
  return _mm512_insertf32x4(result, _mm_loadu_ps(from[12] + offset), 3);
#elif defined(__AVX2__)
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from[0] + offset)),
                              _mm_loadu_ps(from[4] + offset), 1);
#else
  NativeFloats result;
  std::memcpy(&result, from[0] + offset, sizeof result);
  return result;
#endif
}

/// A panel of the right factor given transposed: as many rows as lanes become its columns.
inline void pack_transposed(const float* const* rows, Index depth, float* panel) {
  constexpr Index width = Lanes<float>::width, block = Lanes<float>::part_width;
  const Index whole = depth - depth % 4;
  for (Index j = 0; j < width; j += block)
    for (Index k = 0; k < whole; k += 4) {
      NativeFloats row[4];
      repeat<4>([&](auto r) ATTNSPAN_INLINE { row[r] = gather_fours(rows + j + r, k); });
      const auto low01 = (NativeDoubles)zip_low(row[0], row[1]);
      const auto low23 = (NativeDoubles)zip_low(row[2], row[3]);
      const auto high01 = (NativeDoubles)zip_high(row[0], row[1]);
      const auto high23 = (NativeDoubles)zip_high(row[2], row[3]);
      const NativeDoubles turned[4] = {zip_low(low01, low23), zip_high(low01, low23),
                                       zip_low(high01, high23), zip_high(high01, high23)};
      repeat<4>([&](auto r) ATTNSPAN_INLINE {
        std::memcpy(panel + (k + r) * width + j, &turned[r], sizeof turned[r]);
      });
    }
  for (Index k = whole; k < depth; ++k)
    for (Index j = 0; j < width; ++j) panel[k * width + j] = rows[j][k];
}

inline void pack_transposed(const double* const* rows, Index depth, double* panel) {
  constexpr Index width = Lanes<double>::width;
  for (Index k = 0; k < depth; ++k)
    for (Index j = 0; j < width; ++j) panel[k * width + j] = rows[j][k];
}

/// `cols` rows of b become the panel's columns. What stands in the other columns does not matter.
template <class Real>
void pack_transposed(const Real* b, Index stride, Index depth, Index cols, Real* panel) {
  const Real* rows[Lanes<Real>::width];
  for (Index j = 0; j < Lanes<Real>::width; ++j) rows[j] = b + (j < cols ? j : cols - 1) * stride;
  pack_transposed(rows, depth, panel);
}

/// A panel, row after row.
template <class Real>
void pack(const Real* b, Index stride, Index depth, Index cols, Real* panel) {
  constexpr Index width = Lanes<Real>::width;
  for (Index k = 0; k < depth; ++k, b += stride, panel += width)
    (cols == width ? load(b, Whole{0}) : load(b, Rest{0, cols})).store(panel);
}

/// Numbers of scratch memory that a product with this depth needs.
template <class Real>
Index product_scratch(Index depth) {
  return depth * tile_panels * Lanes<Real>::width;
}

/// c = a b, or c += a b. a is rows x depth, or depth x rows when transposed; b is depth x cols, or
/// cols x depth. last_seen: null, or as LastSeen of product.hpp; the matrix of queries by keys is c
/// where b is transposed, else a.
template <class Real>
void multiply(MatrixView<const Real> a, bool transposed_a, MatrixView<const Real> b,
              bool transposed_b, MatrixView<Real> c, bool add, const Index* last_seen,
              Real* scratch) {
  constexpr Index width = Lanes<Real>::width;
  const Index depth = transposed_a ? a.rows : a.cols;
  const LeftFactor<Real> left{a.data, transposed_a ? 1 : a.stride, transposed_a ? a.stride : 1};
  for (Index col = 0; col < c.cols;) {
    const Index cols = c.cols - col;
    const Index panels = cols > width ? tile_panels : 1;
    const Index last = cols - (panels - 1) * width < width ? cols - (panels - 1) * width : width;
    // Rows of b lie far apart and would share few places of the cache; few rows do not pay for a
    // copy.
    RightPanels<Real> right{b.data + col, width, b.stride};
    if (transposed_b || c.rows > 2 * tile_rows || last < width) {
      right = {scratch, depth * width, width};
      for (Index p = 0; p < panels; ++p) {
        const Index first = col + p * width, count = p + 1 < panels ? width : last;
        Real* panel = scratch + p * depth * width;
        if (transposed_b)
          pack_transposed(b.row(first), b.stride, depth, count, panel);
        else
          pack(b.data + first, b.stride, depth, count, panel);
      }
    }
    Index first_row = 0;  // of those that see one of these columns
    if (last_seen != nullptr && transposed_b)
      while (first_row < c.rows && last_seen[first_row] < col) ++first_row;
    const LeftFactor<Real> seeing{left.data + first_row * left.row_stride, left.row_stride,
                                  left.depth_stride};
    const Result<Real> result{c.row(first_row) + col, c.stride, add};
    const Index* const kept = transposed_b ? nullptr : last_seen;
    const auto multiply_panels = [&]<int count, bool transposed>() {
      const Index rows = c.rows - first_row;
      if (last == width)
        multiply_rows<count, transposed>(seeing, rows, right, depth, result, kept, Whole{});
      else
        multiply_rows<count, transposed>(seeing, rows, right, depth, result, kept, Rest{0, last});
    };
    if (panels == tile_panels)
      transposed_a ? multiply_panels.template operator()<tile_panels, true>()
                   : multiply_panels.template operator()<tile_panels, false>();
    else
      transposed_a ? multiply_panels.template operator()<1, true>()
                   : multiply_panels.template operator()<1, false>();
    col += panels * width;
  }
}

}  // namespace
}  // namespace attnspan
