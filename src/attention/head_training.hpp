#pragma once

#include <vector>

#include "attention/heads.hpp"
#include "ops/product.hpp"

namespace attnspan {

/// Query rows whose scores exist at one time: 64 rows over a few hundred keys stay in the
/// second-level cache.
constexpr Index training_rows = 64;

/// Which rows attend to which, for several sequences stacked on each other. Queries may be fewer
/// than keys: the last layer asks for answer rows only.
struct Packing {
  std::vector<Index> key_begin;           ///< sequences + 1 offsets into the key rows
  std::vector<Index> query_begin;         ///< sequences + 1 offsets into the query rows
  std::vector<Index> places;              ///< of each query row: its 0-based place in its sequence
  std::vector<Index> query_rows;          ///< of each query row: the key row it is
  std::vector<Position> query_positions;  ///< of each query row
  const Position* positions = nullptr;    ///< of each key row

  Index sequences() const { return static_cast<Index>(key_begin.size()) - 1; }
  Index queries() const { return static_cast<Index>(places.size()); }
  Index keys() const { return key_begin.back(); }
  bool every_row_asks() const { return queries() == keys(); }

  /// The same sequences where every row asks.
  Packing whole() const;
};

/// What the heads of a layer work on: queries and keys (query and key rows x (vectors d_head)) and
/// values (key rows x (heads d_head)), none of them turned or scaled yet, and the layer's normed
/// input at the query rows and at the key rows.
template <class Real>
struct HeadInputs {
  ConstMatrixView<Real> q, k, v;
  ConstMatrixView<Real> x, context;
};

/// Gradients of the same: those of x and context are added, the others written.
template <class Real>
struct HeadGradients {
  MatrixView<Real> q, k, v;
  MatrixView<Real> x, context;
};

/// What the forward pass keeps for the backward pass; reused from step to step.
template <class Real>
struct HeadTrace {
  struct Vectors {
    AlignedVector<Real> unit;    ///< each head's part at length 1, where the normalizer asks for it
    AlignedVector<Real> turned;  ///< and turned by its position, where the encoding turns
  };
  Vectors query, key;
  AlignedVector<Real> features;  ///< keys x (heads features)
  AlignedVector<Real> scales;    ///< queries x scaled heads
  AlignedVector<Real> scaling;   ///< queries x (scaled heads x the scaler's state)
  AlignedVector<Real> scaled;    ///< queries x (heads width): what enters the scores
  AlignedVector<Real> states;    ///< queries x heads x the normalizer's state
  /// What the rows of a sequence have taken from each key, where the normalizer is selective.
  AlignedVector<double> taken;
};

/// Memory of one thread; grows to the longest batch met and stays.
template <class Real>
struct HeadScratch {
  AlignedVector<Real> dquery, dkey, dscales, dfeatures;
};

/// What a thread needs for one tile; grows to the longest met and stays.
template <class Real>
struct TileScratch {
  struct Scores {
    AlignedVector<Real> biased;
    AlignedVector<Real> unbiased;  ///< where the bias depends on them
  };
  Scores scores, first_head;
  AlignedVector<Real> weights, dweights;
  AlignedVector<double> taken, later;  ///< of a selective normalizer, by key
  AlignedVector<Real> dfirst_head;
  AlignedVector<Real> carried;  ///< what one row passes on
  AlignedVector<Real> dvector;  ///< of a tile's queries, through the bias
  std::vector<Index> visible;   ///< keys, of each row
};

/// The heads at work on whole rows of short sequences, and their gradients. Memory grows linearly
/// with the length: scores exist for one tile of rows at a time.
template <class Real>
class HeadTraining {
 public:
  explicit HeadTraining(const Heads<Real>& heads) : heads_(heads) {}

  /// Writes output, queries x (heads d_head). Every row has to ask where the normalizer is
  /// selective.
  void forward(const Real* parameters, Phase phase, const Packing& packing,
               const HeadInputs<Real>& in, MatrixView<Real> output, HeadTrace<Real>& trace) const;

  /// The gradient of a forward pass in training. Scores are worked out again tile by tile.
  void backward(const Real* parameters, const Packing& packing, const HeadInputs<Real>& in,
                ConstMatrixView<Real> doutput, const HeadTrace<Real>& trace,
                const HeadGradients<Real>& gradient, Real* dparameters,
                HeadScratch<Real>& scratch) const;

 private:
  struct Tile;
  struct MixGradients {
    MatrixView<Real> scaled, keys, v, features;
  };

  // What both passes do.
  void score(const Real* parameters, const Packing& packing, const Tile& tile,
             ConstMatrixView<Real> keys, const HeadTrace<Real>& trace,
             typename TileScratch<Real>::Scores& scores, TileScratch<Real>& scratch) const;
  void score_backward(const Real* parameters, const Packing& packing, const Tile& tile,
                      ConstMatrixView<Real> keys, const HeadTrace<Real>& trace,
                      const AlignedVector<Real>& unbiased, MatrixView<Real> dscores, Into into,
                      const MixGradients& gradients, Real* dparameters,
                      TileScratch<Real>& scratch) const;
  BiasRow<Real> bias_row(const Packing& packing, const Tile& tile, Index row,
                         const HeadTrace<Real>& trace) const;
  MatrixView<const Real> prepared(const HeadInputs<Real>& in, Role role,
                                  const HeadTrace<Real>& trace) const;

  // The steps, forward and back.
  void read(const Real* parameters, const Packing& packing, const HeadInputs<Real>& in,
            HeadTrace<Real>& trace) const;
  void read_backward(const Real* parameters, const Packing& packing, const HeadInputs<Real>& in,
                     const HeadTrace<Real>& trace, ConstMatrixView<Real> dfeatures,
                     MatrixView<Real> dcontext, Real* dparameters) const;
  void mix(const Real* parameters, Phase phase, const Packing& packing, ConstMatrixView<Real> keys,
           ConstMatrixView<Real> v, MatrixView<Real> output, HeadTrace<Real>& trace) const;
  void mix_backward(const Real* parameters, const Packing& packing, ConstMatrixView<Real> keys,
                    ConstMatrixView<Real> v, ConstMatrixView<Real> doutput,
                    const HeadTrace<Real>& trace, const MixGradients& gradient,
                    Real* dparameters) const;
  void scale_backward(const Real* parameters, const Packing& packing, ConstMatrixView<Real> x,
                      ConstMatrixView<Real> queries, const HeadTrace<Real>& trace,
                      MatrixView<Real> dscaled, MatrixView<Real> dx, Real* dparameters,
                      HeadScratch<Real>& scratch) const;
  void prepare_backward(const Real* parameters, Role role, const Position* positions,
                        ConstMatrixView<Real> from, const typename HeadTrace<Real>::Vectors& trace,
                        ConstMatrixView<Real> dprepared, MatrixView<Real> dfrom,
                        Real* dparameters) const;

  const Heads<Real>& heads_;
};

}  // namespace attnspan
