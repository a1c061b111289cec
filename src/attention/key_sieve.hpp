#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "attention/key_bounds.hpp"
#include "ops/engine.hpp"
#include "ops/matrix.hpp"
#include "ops/room.hpp"

namespace attnspan {

/// Keys in bytes: products of whole numbers, several times as fast as those of Real, tell of almost
/// every key that its score is not above a floor. What passes is scored as always. Keys are looked
/// at a stretch at a time; a span of stretches shares what its bytes stand for.
template <class Real>
class KeySieve {
  struct Scale;
  struct Sizes;

 public:
  static constexpr Index stretch = 4096, block = KeyBounds<Real>::block;
  static constexpr Index span = 16;  ///< stretches

  /// Whether products of bytes are faster here than those of Real.
  static bool pays();

  /// Takes, of all vectors' keys (tokens x width each, close together), those of these vectors,
  /// which have to stay where they are; those behind the last whole stretch stay out. Spreads over
  /// the threads.
  void take(const std::vector<MatrixView<Real>>& keys, std::span<const Index> vectors);

  /// Whether there is a whole stretch of this vector's keys.
  bool has(Index vector) const {
    return stretches_ > 0 && std::find(vectors_.begin(), vectors_.end(), vector) != vectors_.end();
  }

  /// A tile of queries of one vector.
  class Tile {
   public:
    /// queries: rows x width, as they enter the scores.
    void open(const KeySieve& sieve, Index vector, ConstMatrixView<Real> queries);

    /// Sifts the keys of a stretch, for each row by its floor.
    void sift(Index of_stretch, std::span<const Real> floors);

    /// Of a row the keys whose score is above its floor: how many, then where in the stretch, the
    /// last block first and ascending within a block, and their scores. -1: so many may be that
    /// this does not pay, or numbers are none.
    Index found(Index row);
    const std::int32_t* places() const { return found_->places.data(); }
    const Real* scores() const { return scores_.data(); }

   private:
    /// A row in bytes, for a span: what of a score its product with the keys' centre is, what a
    /// unit of bytes is, and what bounds the rest of it by the sizes of a stretch.
    struct Row {
      bool bounded;  // whether any of it is to be relied on
      double at_centre, unit, sum, norm, rest_sum, rest_norm, slack;
      std::int32_t whole_sum;
    };

    Row prepare(Index row, const Scale& scale, std::int8_t* bytes) const;
    /// The keys of a row that passed.
    struct Listed {
      Index row = -1, count = 0;
      std::vector<std::int32_t> places;
    };

    Listed& list(Index row);
    bool start(const Row& row, const Sizes& sizes, double floor, std::int32_t& start) const;

    static constexpr Index blocks = stretch / sifted;
    static constexpr Index most = stretch / 8;           // that may pass
    static_assert(block == 2 * sifted && blocks <= 64);  // as keys are listed

    const KeySieve* sieve_ = nullptr;
    Index of_vector_ = 0, of_stretch_ = 0, of_span_ = -1;
    MatrixView<const Real> queries_;
    std::span<const Real> floors_;
    std::vector<std::int8_t> bytes_;  // rows x depth
    std::vector<Row> rows_;
    std::vector<std::int32_t> starts_;   // of the rows' sums
    std::vector<char> bounded_;          // whether they are to be relied on
    std::vector<std::uint64_t> passed_;  // rows x blocks, a bit for each key
    Listed listed_[2];                   // of a row and the next
    Listed* found_ = nullptr;
    std::vector<Real> scores_;
    AlignedVector<Real> scratch_;
  };

 private:
  /// Of a stretch's keys the smallest and largest coordinates.
  struct Extent {
    std::vector<Real> low, high;
    bool finite;
  };

  /// What a span's keys are in bytes: key j is centre_j + scale_j (byte_j + an error).
  struct Scale {
    std::vector<double> centre, scale;
    double size;  // of the keys' largest absolute coordinates; not finite: not to be used
  };

  /// Of a stretch's keys, in bytes, the largest norm of an error, size of one in a coordinate, and
  /// norm of the bytes.
  struct Sizes {
    double error = 0, most_error = 0, norm = 0;
  };

  /// The keys of a stretch.
  ConstMatrixView<Real> keys(Index of_vector, Index of_stretch) const {
    return keys_[static_cast<std::size_t>(of_vector)].middle_rows(of_stretch * stretch, stretch);
  }
  Index part(Index of_vector, Index of_stretch) const {
    return of_vector * stretches_ + of_stretch;
  }
  const Scale& scale(Index of_vector, Index of_span) const {
    return scales_[static_cast<std::size_t>(of_vector * spans_ + of_span)];
  }
  static Extent extent(ConstMatrixView<Real> keys);
  static Scale scale(std::span<const Extent> extents);
  Sizes take_stretch(ConstMatrixView<Real> keys, const Scale& scale, std::uint8_t* bytes) const;

  Index width_ = 0, depth_ = 0, stretches_ = 0, spans_ = 0;  // depth: a multiple of four
  std::vector<Index> vectors_;
  std::vector<Scale> scales_;  // of each vector and span
  std::vector<Sizes> sizes_;   // of each vector and stretch
  // Likewise: blocks of keys as `sift` has them, each byte plus 128.
  MatrixView<std::uint8_t> bytes_;
  Room<std::uint8_t> byte_memory_;
  std::vector<ConstMatrixView<Real>> keys_;  // of each vector
};

}  // namespace attnspan
