#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "attention/head_training.hpp"
#include "attention/selection.hpp"
#include "core/parallel.hpp"
#include "ops/product.hpp"

namespace attnspan {
namespace {

Index longest_row(const Packing& packing) {
  return packing.queries() == 0
             ? 0
             : *std::max_element(packing.places.begin(), packing.places.end()) + 1;
}

template <class Real>
TileScratch<Real>& tile_scratch() {
  static thread_local TileScratch<Real> scratch;
  return scratch;
}

template <class Real>
void fill_zeros(MatrixView<Real> view) {
  for (Index i = 0; i < view.rows; ++i) std::fill_n(view.row(i), view.cols, Real(0));
}

}  // namespace

Packing Packing::whole() const {
  Packing whole = *this;
  whole.query_begin = key_begin;
  whole.query_rows.resize(static_cast<std::size_t>(keys()));
  std::iota(whole.query_rows.begin(), whole.query_rows.end(), Index{0});
  whole.query_positions.assign(positions, positions + keys());
  whole.places.clear();
  for (Index s = 0; s < sequences(); ++s) {
    const auto at = static_cast<std::size_t>(s);
    for (Index place = 0; place < key_begin[at + 1] - key_begin[at]; ++place)
      whole.places.push_back(place);
  }
  return whole;
}

/// Query rows [begin, end) of one sequence, head and view, which see keys of the `keys` from
/// first_key on. `vector` tells their queries and keys among those of all heads and views.
template <class Real>
struct HeadTraining<Real>::Tile {
  Index head, view, vector, begin, end, first_key, keys;
  bool last;  // of the sequence

  Index rows() const { return end - begin; }
  LastSeen last_seen(const Packing& packing) const {
    return std::span(packing.places)
        .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(rows()));
  }
  Tile of_first_head() const {
    Tile tile = *this;
    tile.head = tile.view = tile.vector = 0;
    return tile;
  }
  MatrixView<Real> within(MatrixView<Real> memory) const {
    return {memory.data, rows(), keys, memory.stride};
  }
  /// The columns of one head or vector of some query rows or key rows.
  template <class View>
  View queries_of(View matrix, Index of, Index width) const {
    return matrix.middle_rows(begin, rows()).middle_cols(of * width, width);
  }
  template <class View>
  View keys_of(View matrix, Index of, Index width) const {
    return matrix.middle_rows(first_key, keys).middle_cols(of * width, width);
  }

  /// Calls body(tile) for every tile of query rows; with `backwards`, the last rows of a sequence
  /// come first. The first head's tiles come before all others', unless heads are `separate`: then
  /// idle threads may take some.
  template <class Body>
  static void for_each(const Packing& packing, const Heads<Real>& heads, bool backwards,
                       bool separate, const Body& body) {
    const Index count = heads.shape().heads;
    if (separate && has_idle_threads() &&
        packing.queries() * longest_row(packing) * heads.total_width() >= worth_sharing) {
      share_with_idle(packing.sequences() * count, [&](Index i) {
        for (Index of = i % count; of < heads.vectors(); of += count)
          for_each_of(packing, heads, i / count, of, backwards, body);
      });
      return;
    }
    for (Index sequence = 0; sequence < packing.sequences(); ++sequence)
      for (Index of = 0; of < heads.vectors(); ++of)
        for_each_of(packing, heads, sequence, of, backwards, body);
  }

 private:
  /// For those of one sequence, head and view.
  template <class Body>
  static void for_each_of(const Packing& packing, const Heads<Real>& heads, Index sequence,
                          Index vector, bool backwards, const Body& body) {
    const auto at = static_cast<std::size_t>(sequence);
    const Index first = packing.query_begin[at], last = packing.query_begin[at + 1];
    const Index tiles = (last - first + training_rows - 1) / training_rows;
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index begin = first + (backwards ? tiles - 1 - tile : tile) * training_rows;
      const Index end = std::min(last, begin + training_rows);
      body(Tile{vector % heads.shape().heads, vector / heads.shape().heads, vector, begin, end,
                packing.key_begin[at], packing.places[static_cast<std::size_t>(end - 1)] + 1,
                end == last});
    }
  }
};

template <class Real>
MatrixView<const Real> HeadTraining<Real>::prepared(const HeadInputs<Real>& in, Role role,
                                                    const HeadTrace<Real>& trace) const {
  const auto& vectors = role == Role::query ? trace.query : trace.key;
  const MatrixView<const Real> from = role == Role::query ? in.q : in.k;
  if (heads_.position().width() > 0)
    return {vectors.turned.data(), from.rows, heads_.total_width()};
  if (heads_.normalizer(Phase::training).unit_vectors())
    return {vectors.unit.data(), from.rows, from.cols};
  return from;
}

template <class Real>
void HeadTraining<Real>::read(const Real* parameters, const Packing& packing,
                              const HeadInputs<Real>& in, HeadTrace<Real>& trace) const {
  if (heads_.position().features() == 0) return;
  const auto features =
      reserve(trace.features, packing.keys(), heads_.shape().heads * heads_.position().features());
  for (std::size_t s = 0; s + 1 < packing.key_begin.size(); ++s) {
    const Index first = packing.key_begin[s], tokens = packing.key_begin[s + 1] - first;
    heads_.position().read(parameters + heads_.position_offset(),
                           in.context.middle_rows(first, tokens),
                           features.middle_rows(first, tokens));
  }
}

template <class Real>
BiasRow<Real> HeadTraining<Real>::bias_row(const Packing& packing, const Tile& tile, Index row,
                                           const HeadTrace<Real>& trace) const {
  const auto at = static_cast<std::size_t>(row);
  BiasRow<Real> bias;
  bias.query = packing.query_positions[at];
  bias.keys = packing.positions + tile.first_key;
  bias.count = packing.places[at] + 1;
  bias.vector = trace.scaled.data() + (row * heads_.vectors() + tile.vector) * heads_.width();
  if (const Index numbers = heads_.position().features(); numbers > 0) {
    const MatrixView<const Real> features(trace.features.data(), packing.keys(),
                                          heads_.shape().heads * numbers);
    bias.features = features.row(packing.query_rows[at]) + tile.head * numbers;
    bias.key_features = tile.keys_of(features, tile.head, numbers);
  }
  return bias;
}

/// Biased scores of a tile; row r's are valid up to its own place.
template <class Real>
void HeadTraining<Real>::score(const Real* parameters, const Packing& packing, const Tile& tile,
                               ConstMatrixView<Real> keys, const HeadTrace<Real>& trace,
                               typename TileScratch<Real>::Scores& into,
                               TileScratch<Real>& scratch) const {
  const Index longest = longest_row(packing), d = heads_.width();
  const auto scores = reserve(into.biased, training_rows, longest);
  const MatrixView<const Real> scaled(trace.scaled.data(), packing.queries(), heads_.total_width());
  product_bt<Real>(tile.queries_of(scaled, tile.vector, d), tile.keys_of(keys, tile.vector, d),
                   tile.within(scores), Into::replace, tile.last_seen(packing));
  if (!heads_.position().biased(tile.head)) return;
  const Index passed = heads_.position().carried();
  if (passed > 0) {  // the backward pass needs them as they are now
    const auto unbiased = reserve(into.unbiased, training_rows, longest);
    for (Index r = 0; r < tile.rows(); ++r)
      std::copy_n(scores.row(r), packing.places[static_cast<std::size_t>(tile.begin + r)] + 1,
                  unbiased.row(r));
  }
  for (Index r = tile.begin; r < tile.end; ++r)
    heads_.position().add_bias(parameters + heads_.position_offset(), tile.head,
                               bias_row(packing, tile, r, trace), scores.row(r - tile.begin),
                               reserve_zeros(scratch.carried, 1, passed).data);
}

template <class Real>
void HeadTraining<Real>::mix(const Real* parameters, Phase phase, const Packing& packing,
                             ConstMatrixView<Real> keys, ConstMatrixView<Real> v,
                             MatrixView<Real> output, HeadTrace<Real>& trace) const {
  const Index longest = longest_row(packing), d = heads_.shape().d_head;
  const Index state_size = heads_.normalizer(phase).state_size();
  const bool selective = heads_.normalizer(phase).selective();
  if (selective && !packing.every_row_asks())
    throw std::logic_error("every row has to ask where the normalizer is selective");
  const auto states = reserve(trace.states, packing.queries(), heads_.vectors() * state_size);
  reserve(trace.taken, selective ? packing.keys() : 0, 1);
  Tile::for_each(packing, heads_, false, !selective, [&](const Tile& tile) {
    TileScratch<Real>& scratch = tile_scratch<Real>();
    const auto scores = reserve(scratch.scores.biased, training_rows, longest);
    const auto first_head =
        reserve(scratch.first_head.biased, selective ? training_rows : 0, longest);
    const auto weights = reserve(scratch.weights, training_rows, longest);
    std::vector<Index>& visible = scratch.visible;
    const Normalizer<Real>& normalizer = heads_.normalizer(phase).of_view(tile.view);
    score(parameters, packing, tile, keys, trace, scratch.scores, scratch);
    double* taken = trace.taken.data() + (selective ? tile.first_key : 0);
    if (selective) {
      score(parameters, packing, tile.of_first_head(), keys, trace, scratch.first_head, scratch);
      // No earlier row saw the keys from here on.
      std::fill(taken + packing.places[static_cast<std::size_t>(tile.begin)], taken + tile.keys,
                0.0);
    }
    visible.clear();
    for (Index r = tile.begin; r < tile.end; ++r) {
      const Index seen = packing.places[static_cast<std::size_t>(r)] + 1;
      visible.push_back(seen);
      if (!selective) continue;
      subtract_taken(taken, seen, scores.row(r - tile.begin));
      take(seen - 1, first_head.row(r - tile.begin), 0, seen, 1.0, taken);
    }
    normalizer.forward_rows(parameters + heads_.normalizer_offset(tile.head), tile.within(scores),
                            visible, tile.within(weights),
                            states.middle_rows(tile.begin, tile.rows())
                                .middle_cols(tile.vector * state_size, state_size));
    for (Index r = 0; r < tile.rows(); ++r) {
      Real* const weight = weights.row(r);
      std::fill(weight + visible[static_cast<std::size_t>(r)], weight + tile.keys, Real(0));
    }
    product<Real>(tile.within(weights), tile.keys_of(v, tile.head, d),
                  tile.queries_of(output, tile.head, d), tile.view > 0 ? Into::add : Into::replace,
                  tile.last_seen(packing));
  });
}

/// What the gradient of a tile's scores (0 where a row does not see a key) brings to its bias, its
/// queries and its keys.
template <class Real>
void HeadTraining<Real>::score_backward(
    const Real* parameters, const Packing& packing, const Tile& tile, ConstMatrixView<Real> keys,
    const HeadTrace<Real>& trace, const AlignedVector<Real>& unbiased, MatrixView<Real> dscores,
    Into into, const MixGradients& gradients, Real* dparameters, TileScratch<Real>& scratch) const {
  const Index wide = heads_.width(), longest = longest_row(packing);
  const bool passes = heads_.position().carried() > 0;
  const auto dvector = reserve_zeros(scratch.dvector, passes ? tile.rows() : 0, wide);
  const Index numbers = heads_.position().features();
  for (Index r = tile.begin; heads_.position().biased(tile.head) && r < tile.end; ++r) {
    BiasGradient<Real> gradient;
    gradient.parameters = dparameters + heads_.position_offset();
    if (numbers > 0) {
      gradient.features = gradients.features.row(packing.query_rows[static_cast<std::size_t>(r)]) +
                          tile.head * numbers;
      gradient.key_features = tile.keys_of(gradients.features, tile.head, numbers);
    }
    if (passes) gradient.vector = dvector.row(r - tile.begin);
    heads_.position().bias_backward(parameters + heads_.position_offset(), tile.head,
                                    bias_row(packing, tile, r, trace),
                                    passes ? unbiased.data() + (r - tile.begin) * longest : nullptr,
                                    dscores.row(r - tile.begin), gradient);
  }
  const MatrixView<const Real> scaled(trace.scaled.data(), packing.queries(), heads_.total_width());
  const MatrixView<Real> dquery = tile.queries_of(gradients.scaled, tile.vector, wide);
  product<Real>(dscores, tile.keys_of(keys, tile.vector, wide), dquery, into,
                tile.last_seen(packing));
  product_at<Real>(dscores, tile.queries_of(scaled, tile.vector, wide),
                   tile.keys_of(gradients.keys, tile.vector, wide), Into::add,
                   tile.last_seen(packing));
  for (Index r = 0; r < dvector.rows; ++r)
    for (Index j = 0; j < wide; ++j) dquery.row(r)[j] += dvector.row(r)[j];
}

template <class Real>
void HeadTraining<Real>::mix_backward(const Real* parameters, const Packing& packing,
                                      ConstMatrixView<Real> keys, ConstMatrixView<Real> v,
                                      ConstMatrixView<Real> doutput, const HeadTrace<Real>& trace,
                                      const MixGradients& gradients, Real* dparameters) const {
  const Index longest = longest_row(packing);
  const Index d = heads_.shape().d_head,
              state_size = heads_.normalizer(Phase::training).state_size();
  const bool selective = heads_.normalizer(Phase::training).selective();
  const bool separate = !selective && heads_.learns_nothing();

  // What a row takes is missing to later rows, so their gradients are needed first.
  Tile::for_each(packing, heads_, selective, separate, [&](const Tile& tile) {
    TileScratch<Real>& scratch = tile_scratch<Real>();
    const auto scores = reserve(scratch.scores.biased, training_rows, longest);
    const auto weights = reserve(scratch.weights, training_rows, longest);
    const auto dweights = reserve(scratch.dweights, training_rows, longest);
    const Index selecting_rows = selective ? training_rows : 0;
    const auto first_head = reserve(scratch.first_head.biased, selecting_rows, longest);
    const auto dfirst_head = reserve(scratch.dfirst_head, selecting_rows, longest);
    double* taken = reserve(scratch.taken, selective ? longest : 0, 1).data;
    double* later = reserve(scratch.later, selective ? longest : 0, 1).data;
    const Normalizer<Real>& normalizer = heads_.normalizer(Phase::training).of_view(tile.view);
    score(parameters, packing, tile, keys, trace, scratch.scores, scratch);
    if (selective)
      score(parameters, packing, tile.of_first_head(), keys, trace, scratch.first_head, scratch);
    if (selective && tile.last) {
      std::copy_n(trace.taken.data() + tile.first_key, tile.keys, taken);
      std::fill_n(later, tile.keys, 0.0);
    }
    const Real* learned = parameters + heads_.normalizer_offset(tile.head);
    product_bt<Real>(tile.queries_of(doutput, tile.head, d), tile.keys_of(v, tile.head, d),
                     tile.within(dweights), Into::replace, tile.last_seen(packing));
    for (Index k = 0; k < tile.rows(); ++k) {
      const Index row = selective ? tile.rows() - 1 - k : k, r = tile.begin + row;
      const Index visible = packing.places[static_cast<std::size_t>(r)] + 1;
      Real* score = scores.row(row);
      Real* weight = weights.row(row);
      Real* dweight = dweights.row(row);  // becomes the gradient of the scores
      if (selective) {
        take(visible - 1, first_head.row(row), 0, visible, -1.0, taken);
        subtract_taken(taken, visible, score);
      }
      normalizer.rebuild(learned, score, visible,
                         trace.states.data() + (r * heads_.vectors() + tile.vector) * state_size,
                         weight);
      normalizer.backward(learned, score, weight, visible, dweight,
                          dparameters + (learned - parameters));
      std::fill(weight + visible, weight + tile.keys, Real(0));
      std::fill(dweight + visible, dweight + tile.keys, Real(0));
      if (selective) {
        std::fill_n(dfirst_head.row(row), tile.keys, Real(0));
        take_backward(visible - 1, first_head.row(row), later, dfirst_head.row(row));
        for (Index j = 0; j < visible; ++j) later[j] += static_cast<double>(dweight[j]);
      }
    }
    product_at<Real>(tile.within(weights), tile.queries_of(doutput, tile.head, d),
                     tile.keys_of(gradients.v, tile.head, d), Into::add, tile.last_seen(packing));
    score_backward(parameters, packing, tile, keys, trace, scratch.scores.unbiased,
                   tile.within(dweights), Into::replace, gradients, dparameters, scratch);
    if (selective)
      score_backward(parameters, packing, tile.of_first_head(), keys, trace,
                     scratch.first_head.unbiased, tile.within(dfirst_head), Into::add, gradients,
                     dparameters, scratch);
  });
}

/// dscaled, the gradient of the scaled queries, becomes that of the prepared ones.
template <class Real>
void HeadTraining<Real>::scale_backward(const Real* parameters, const Packing& packing,
                                        ConstMatrixView<Real> x, ConstMatrixView<Real> queries,
                                        const HeadTrace<Real>& trace, MatrixView<Real> dscaled,
                                        MatrixView<Real> dx, Real* dparameters,
                                        HeadScratch<Real>& scratch) const {
  const Index rows = packing.queries(), wide = heads_.width();
  const auto scaled_heads = static_cast<Index>(heads_.scaled().size());
  const Real factor = heads_.unit();
  if (scaled_heads > 0) {
    const auto dscales = reserve(scratch.dscales, rows, scaled_heads);
    const MatrixView<const Real> scales(trace.scales.data(), rows, scaled_heads);
    const MatrixView<const Real> state(trace.scaling.data(), rows,
                                       scaled_heads * heads_.scaler(Phase::training).state_size());
    for (Index i = 0; i < rows; ++i)
      for (Index h = 0; h < scaled_heads; ++h) {
        const Index column = heads_.scaled()[static_cast<std::size_t>(h)] * wide;
        const Real* query = queries.row(i) + column;
        Real* dquery = dscaled.row(i) + column;
        Real inner = 0;
        for (Index j = 0; j < wide; ++j) {
          inner += dquery[j] * query[j];
          dquery[j] *= scales.row(i)[h];
        }
        dscales.row(i)[h] = inner * factor;
      }
    heads_.scaler(Phase::training)
        .backward(parameters, x, packing.places.data(), state, dscales, dx, dparameters);
  }
  for (Index i = 0; i < rows; ++i)
#pragma omp simd
    for (Index j = 0; j < dscaled.cols; ++j) dscaled.row(i)[j] *= factor;
}

template <class Real>
void HeadTraining<Real>::read_backward(const Real* parameters, const Packing& packing,
                                       const HeadInputs<Real>& in, const HeadTrace<Real>& trace,
                                       ConstMatrixView<Real> dfeatures, MatrixView<Real> dcontext,
                                       Real* dparameters) const {
  if (heads_.position().features() == 0) return;
  const MatrixView<const Real> features(trace.features.data(), packing.keys(), dfeatures.cols);
  for (std::size_t s = 0; s + 1 < packing.key_begin.size(); ++s) {
    const Index first = packing.key_begin[s], tokens = packing.key_begin[s + 1] - first;
    heads_.position().read_backward(
        parameters + heads_.position_offset(), in.context.middle_rows(first, tokens),
        features.middle_rows(first, tokens), dfeatures.middle_rows(first, tokens),
        dcontext.middle_rows(first, tokens), dparameters + heads_.position_offset());
  }
}

template <class Real>
void HeadTraining<Real>::prepare_backward(const Real* parameters, Role role,
                                          const Position* positions, ConstMatrixView<Real> from,
                                          const typename HeadTrace<Real>::Vectors& trace,
                                          ConstMatrixView<Real> dprepared, MatrixView<Real> dfrom,
                                          Real* dparameters) const {
  const bool unit_vectors = heads_.normalizer(Phase::training).unit_vectors();
  const MatrixView<const Real> unit =
      unit_vectors ? MatrixView<const Real>(trace.unit.data(), from.rows, from.cols) : from;
  if (heads_.position().width() > 0)
    for (Index view = 0; view < heads_.views(); ++view) {
      const Index narrow = heads_.shape().width(), wide = heads_.shape().heads * heads_.width();
      heads_.position().turn_backward(
          parameters + heads_.position_offset(), role, positions,
          unit.middle_cols(view * narrow, narrow), dprepared.middle_cols(view * wide, wide),
          dfrom.middle_cols(view * narrow, narrow), dparameters + heads_.position_offset());
    }
  else if (dprepared.data != dfrom.data)
    for (Index i = 0; i < dfrom.rows; ++i) std::copy_n(dprepared.row(i), dfrom.cols, dfrom.row(i));
  if (!unit_vectors) return;
  // unit = from / length, and only what stands upright on it changes it.
  const Index d = heads_.shape().d_head;
  for (Index i = 0; i < from.rows; ++i)
    for (Index column = 0; column < from.cols; column += d) {
      const Real *u = unit.row(i) + column, *vector = from.row(i) + column;
      Real* slope = dfrom.row(i) + column;
      Real along = 0, squares = Real(1e-12);
      for (Index j = 0; j < d; ++j) {
        along += u[j] * slope[j];
        squares += vector[j] * vector[j];
      }
      const Real shorten = 1 / std::sqrt(squares);
      for (Index j = 0; j < d; ++j) slope[j] = shorten * (slope[j] - along * u[j]);
    }
}

template <class Real>
void HeadTraining<Real>::forward(const Real* parameters, Phase phase, const Packing& packing,
                                 const HeadInputs<Real>& in, MatrixView<Real> output,
                                 HeadTrace<Real>& trace) const {
  const auto q = heads_.prepare(parameters, phase, Role::query, packing.query_positions.data(),
                                in.q, trace.query.unit, trace.query.turned);
  const auto k = heads_.prepare(parameters, phase, Role::key, packing.positions, in.k,
                                trace.key.unit, trace.key.turned);
  read(parameters, packing, in, trace);
  const auto scaled_heads = static_cast<Index>(heads_.scaled().size());
  heads_.scale(parameters, phase, in.x, packing.places.data(), q,
               reserve(trace.scales, packing.queries(), scaled_heads),
               reserve(trace.scaling, phase == Phase::training ? packing.queries() : 0,
                       scaled_heads * heads_.scaler(Phase::training).state_size()),
               reserve(trace.scaled, packing.queries(), heads_.total_width()));
  mix(parameters, phase, packing, k, in.v, output, trace);
}

template <class Real>
void HeadTraining<Real>::backward(const Real* parameters, const Packing& packing,
                                  const HeadInputs<Real>& in, ConstMatrixView<Real> doutput,
                                  const HeadTrace<Real>& trace, const HeadGradients<Real>& gradient,
                                  Real* dparameters, HeadScratch<Real>& scratch) const {
  const auto q = prepared(in, Role::query, trace);
  const auto k = prepared(in, Role::key, trace);
  // Gradients of the prepared vectors, which are the vectors themselves where nothing is done.
  const bool turns = heads_.position().width() > 0;
  const auto dq = turns ? reserve(scratch.dquery, q.rows, q.cols) : gradient.q;
  const auto dk = turns ? reserve(scratch.dkey, k.rows, k.cols) : gradient.k;
  fill_zeros(dk);
  fill_zeros(gradient.v);
  const auto dfeatures = reserve_zeros(scratch.dfeatures, packing.keys(),
                                       heads_.shape().heads * heads_.position().features());
  mix_backward(parameters, packing, k, in.v, doutput, trace, {dq, dk, gradient.v, dfeatures},
               dparameters);
  scale_backward(parameters, packing, in.x, q, trace, dq, gradient.x, dparameters, scratch);
  read_backward(parameters, packing, in, trace, dfeatures, gradient.context, dparameters);
  prepare_backward(parameters, Role::key, packing.positions, in.k, trace.key, dk, gradient.k,
                   dparameters);
  prepare_backward(parameters, Role::query, packing.query_positions.data(), in.q, trace.query, dq,
                   gradient.q, dparameters);
}

template class HeadTraining<float>;
template class HeadTraining<double>;

}  // namespace attnspan
