#include "attention/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/variant.hpp"
#include "core/parallel.hpp"
#include "ops/product.hpp"

namespace attnspan {
namespace {

/// Query rows whose scores exist at one time: 64 rows over a few hundred keys stay in the
/// second-level cache.
constexpr Index tile_rows = 64;

/// Calls body(sequence, head, begin, end) for every tile of query rows.
template <class Body>
void for_each_tile(const Packing& packing, Index heads, const Body& body) {
  for (Index sequence = 0; sequence < packing.sequences(); ++sequence) {
    const auto at = static_cast<std::size_t>(sequence);
    const Index first = packing.query_begin[at], last = packing.query_begin[at + 1];
    for (Index head = 0; head < heads; ++head)
      for (Index begin = first; begin < last; begin += tile_rows)
        body(sequence, head, begin, std::min(last, begin + tile_rows));
  }
}

}  // namespace

template <class Real>
Attention<Real>::Attention(const AttentionShape& shape, const std::string& variant,
                           const std::string& position)
    : Attention(shape, attention_variant(variant).scaler.template make<Real>(),
                attention_variant(variant).normalizer.template make<Real>(),
                make_position<Real>(position, {shape.heads, shape.d_head})) {}

template <class Real>
Attention<Real>::Attention(const AttentionShape& shape, std::unique_ptr<Scaler<Real>> scaler,
                           std::unique_ptr<Normalizer<Real>> normalizer,
                           std::unique_ptr<PositionEncoding<Real>> position)
    : shape_(shape),
      scaler_(std::move(scaler)),
      normalizer_(std::move(normalizer)),
      position_(std::move(position)) {
  if (!scaler_->identity())
    for (Index head = 0; head < shape.heads; ++head)
      if (position_->scaled(head)) scaled_heads_.push_back(head);

  const auto add = [&](const std::string& owner, const std::vector<TensorSpec>& specs) {
    Index size = 0;
    for (TensorSpec spec : specs) {
      spec.name = owner + "." + spec.name;
      size += spec.size();
      tensors_.push_back(std::move(spec));
    }
    return size;
  };
  if (!scaled_heads_.empty())
    normalizer_offset_ = add("scaler", scaler_->tensors(scaled_heads(), shape.d_model()));
  position_offset_ = normalizer_offset_;
  for (Index head = 0; head < shape.heads; ++head)
    for (Index index = 0; index < normalizer_->parameters_per_head(); ++index)
      position_offset_ +=
          add("normalizer", {{"head" + std::to_string(head) + "." + std::to_string(index), 1, 1,
                              normalizer_->initial_parameter(index), 0}});
  add("position", position_->tensors());
}

template <class Real>
const Real* Attention<Real>::normalizer_parameters(const Real* parameters, Index head) const {
  return parameters + normalizer_offset_ + head * normalizer_->parameters_per_head();
}

template <class Real>
Index Attention<Real>::score_tile(const Real* parameters, const Packing& packing, Index sequence,
                                  Index head, Index begin, Index end, const Position* positions,
                                  const AttentionTrace<Real>& trace, ConstMatrixView<Real> k,
                                  MatrixView<Real> scores) const {
  const Index d = shape_.d_head;
  const Index first_key = packing.key_begin[static_cast<std::size_t>(sequence)];
  const Index keys = packing.places[static_cast<std::size_t>(end - 1)] + 1;
  product_bt<Real>(
      {trace.scaled.data() + begin * shape_.d_model() + head * d, end - begin, d, shape_.d_model()},
      k.middle_rows(first_key, keys).middle_cols(head * d, d),
      {scores.data, end - begin, keys, scores.stride});
  if (position_->biased(head))
    for (Index r = begin; r < end; ++r) {
      const Index visible = packing.places[static_cast<std::size_t>(r)] + 1;
      position_->add_bias(parameters + position_offset_, head, positions[first_key + visible - 1],
                          positions + first_key, visible, scores.row(r - begin));
    }
  return keys;
}

template <class Real>
void Attention<Real>::forward(const Real* parameters, const Packing& packing,
                              const Position* positions, ConstMatrixView<Real> x,
                              ConstMatrixView<Real> q, ConstMatrixView<Real> k,
                              ConstMatrixView<Real> v, MatrixView<Real> output,
                              AttentionTrace<Real>& trace, AttentionScratch<Real>& scratch) const {
  const Index queries = packing.queries(), d = shape_.d_head;
  const auto scaled = reserve(trace.scaled, queries, shape_.d_model());
  const auto scales = reserve(trace.scales, queries, scaled_heads());
  const Index state_size = normalizer_->state_size();
  const auto states = reserve(trace.states, queries, shape_.heads * state_size);

  const Real unit = 1 / std::sqrt(static_cast<Real>(d));
  for (Index i = 0; i < queries; ++i)
#pragma omp simd
    for (Index j = 0; j < shape_.d_model(); ++j) scaled.row(i)[j] = q.row(i)[j] * unit;
  if (scaled_heads() > 0) {
    scaler_->forward(parameters, x, packing.places.data(), scales);
    for (Index i = 0; i < queries; ++i)
      for (Index h = 0; h < scaled_heads(); ++h) {
        Real* query = scaled.row(i) + scaled_heads_[static_cast<std::size_t>(h)] * d;
        for (Index j = 0; j < d; ++j) query[j] *= scales.row(i)[h];
      }
  }

  const Index longest =
      queries == 0 ? 0 : *std::max_element(packing.places.begin(), packing.places.end()) + 1;
  const auto scores = reserve(scratch.scores, tile_rows, longest);
  const auto weights = reserve(scratch.weights, tile_rows, longest);
  for_each_tile(packing, shape_.heads, [&](Index sequence, Index head, Index begin, Index end) {
    const Index keys =
        score_tile(parameters, packing, sequence, head, begin, end, positions, trace, k, scores);
    const Real* learned = normalizer_parameters(parameters, head);
    for (Index r = begin; r < end; ++r) {
      const Index visible = packing.places[static_cast<std::size_t>(r)] + 1;
      Real* weight = weights.row(r - begin);
      normalizer_->forward(learned, scores.row(r - begin), visible, weight,
                           states.row(r) + head * state_size);
      std::fill(weight + visible, weight + keys, Real(0));
    }
    const Index first_key = packing.key_begin[static_cast<std::size_t>(sequence)];
    product<Real>({weights.data, end - begin, keys, weights.stride},
                  v.middle_rows(first_key, keys).middle_cols(head * d, d),
                  output.middle_rows(begin, end - begin).middle_cols(head * d, d));
  });
}

template <class Real>
void Attention<Real>::backward(const Real* parameters, const Packing& packing,
                               const Position* positions, ConstMatrixView<Real> x,
                               ConstMatrixView<Real> q, ConstMatrixView<Real> k,
                               ConstMatrixView<Real> v, ConstMatrixView<Real> doutput,
                               const AttentionTrace<Real>& trace, MatrixView<Real> dq,
                               MatrixView<Real> dk, MatrixView<Real> dv, MatrixView<Real> dx,
                               Real* dparameters, AttentionScratch<Real>& scratch) const {
  const Index queries = packing.queries(), d = shape_.d_head;
  const Index state_size = normalizer_->state_size();
  const MatrixView<const Real> scaled(trace.scaled.data(), queries, shape_.d_model());
  const Index longest =
      queries == 0 ? 0 : *std::max_element(packing.places.begin(), packing.places.end()) + 1;
  const auto scores = reserve(scratch.scores, tile_rows, longest);
  const auto weights = reserve(scratch.weights, tile_rows, longest);
  const auto dweights = reserve(scratch.dweights, tile_rows, longest);

  // dq holds the gradient of the scaled queries until the end.
  for_each_tile(packing, shape_.heads, [&](Index sequence, Index head, Index begin, Index end) {
    const Index keys =
        score_tile(parameters, packing, sequence, head, begin, end, positions, trace, k, scores);
    const Index first_key = packing.key_begin[static_cast<std::size_t>(sequence)];
    const Index rows = end - begin;
    const auto of_head = [&](auto view, Index first, Index count) {
      return view.middle_rows(first, count).middle_cols(head * d, d);
    };
    const Real* learned = normalizer_parameters(parameters, head);
    product_bt<Real>(of_head(doutput, begin, rows), of_head(v, first_key, keys),
                     {dweights.data, rows, keys, dweights.stride});
    for (Index r = begin; r < end; ++r) {
      const Index visible = packing.places[static_cast<std::size_t>(r)] + 1;
      Real* weight = weights.row(r - begin);
      Real* dweight = dweights.row(r - begin);
      normalizer_->rebuild(learned, scores.row(r - begin), visible,
                           trace.states.data() + (r * shape_.heads + head) * state_size, weight);
      normalizer_->backward(learned, scores.row(r - begin), weight, visible, dweight,
                            dparameters + (learned - parameters));
      position_->bias_backward(parameters + position_offset_, head,
                               positions[first_key + visible - 1], positions + first_key, visible,
                               dweight, dparameters + position_offset_);
      std::fill(weight + visible, weight + keys, Real(0));
      std::fill(dweight + visible, dweight + keys, Real(0));
    }
    const MatrixView<const Real> w(weights.data, rows, keys, weights.stride);
    const MatrixView<const Real> dscores(dweights.data, rows, keys, dweights.stride);
    product_at<Real>(w, of_head(doutput, begin, rows), of_head(dv, first_key, keys), Into::add);
    product<Real>(dscores, of_head(k, first_key, keys), of_head(dq, begin, rows));
    product_at<Real>(dscores, of_head(scaled, begin, rows), of_head(dk, first_key, keys),
                     Into::add);
  });

  const Real unit = 1 / std::sqrt(static_cast<Real>(d));
  if (scaled_heads() > 0) {
    const auto dscales = reserve(scratch.dscales, queries, scaled_heads());
    const MatrixView<const Real> scales(trace.scales.data(), queries, scaled_heads());
    for (Index i = 0; i < queries; ++i)
      for (Index h = 0; h < scaled_heads(); ++h) {
        const Index column = scaled_heads_[static_cast<std::size_t>(h)] * d;
        const Real* query = q.row(i) + column;
        Real* dscaled = dq.row(i) + column;
        Real inner = 0;
        for (Index j = 0; j < d; ++j) {
          inner += dscaled[j] * query[j];
          dscaled[j] *= scales.row(i)[h];
        }
        dscales.row(i)[h] = inner * unit;
      }
    scaler_->backward(parameters, x, packing.places.data(), dscales, dx, dparameters);
  }
  for (Index i = 0; i < queries; ++i)
#pragma omp simd
    for (Index j = 0; j < shape_.d_model(); ++j) dq.row(i)[j] *= unit;
}

template <class Real>
void Attention<Real>::scale(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
                            MatrixView<Real> q) const {
  const Index d = shape_.d_head;
  const Real unit = 1 / std::sqrt(static_cast<Real>(d));
  AlignedVector<Real> scales(static_cast<std::size_t>(q.rows * scaled_heads()));
  const MatrixView<Real> s(scales.data(), q.rows, scaled_heads());
  if (scaled_heads() > 0) scaler_->forward(parameters, x, places, s);
  for (Index i = 0; i < q.rows; ++i) {
    for (Index j = 0; j < shape_.d_model(); ++j) q.row(i)[j] *= unit;
    for (Index h = 0; h < scaled_heads(); ++h) {
      Real* query = q.row(i) + scaled_heads_[static_cast<std::size_t>(h)] * d;
      for (Index j = 0; j < d; ++j) query[j] *= s.row(i)[h];
    }
  }
}

template <class Real>
void Attention<Real>::bound_keys(KeyStore<Real>& store) const {
  const Index blocks = store.blocks(), d = shape_.d_head;
  store.bounds.assign(static_cast<std::size_t>(shape_.heads * 2 * d * blocks), Real(0));
  store.norms.assign(static_cast<std::size_t>(shape_.heads * blocks), Real(0));
  store.sizes = store.norms;
  parallel_for(shape_.heads, [&](Index head) {
    Real longest = 0, largest = 0;  // squared, over this and earlier blocks
    for (Index b = 0; b < blocks; ++b) {
      Real* bound = store.bounds.data() + head * 2 * d * blocks + b;
      const Index first = b * KeyStore<Real>::block;
      const Index end = std::min(store.tokens(), first + KeyStore<Real>::block);
      for (Index j = 0; j < d; ++j)
        bound[j * blocks] = bound[(d + j) * blocks] = store.keys.row(first)[head * d + j];
      Real all_squares = 0;
      for (Index i = first; i < end; ++i) {
        const Real* key = store.keys.row(i) + head * d;
        Real squares = 0;
        for (Index j = 0; j < d; ++j) {
          bound[j * blocks] = std::max(bound[j * blocks], key[j]);
          bound[(d + j) * blocks] = std::min(bound[(d + j) * blocks], key[j]);
          squares += key[j] * key[j];
        }
        longest = std::max(longest, squares);
        all_squares += squares;
      }
      Real squares = 0;
      for (Index j = 0; j < d; ++j) {
        const Real size = std::max(bound[j * blocks], -bound[(d + j) * blocks]);
        squares += size * size;
      }
      // Comparisons pass over what is not a number; sums do not.
      if (!std::isfinite(all_squares)) squares = std::numeric_limits<Real>::quiet_NaN();
      if (!(squares <= largest)) largest = std::isnan(largest) ? largest : squares;
      const auto at = static_cast<std::size_t>(head * blocks + b);
      store.norms[at] = std::sqrt(longest);
      store.sizes[at] = std::sqrt(largest);
    }
  });
}

template <class Real>
void Attention<Real>::attend(const Real* parameters, const KeyStore<Real>& store,
                             ConstMatrixView<Real> queries, const Index* places,
                             std::span<const Index> heads, bool skip, RowStream<Real>& stream,
                             MatrixView<Real> output, AttentionScratch<Real>& scratch) const {
  constexpr Index block = KeyStore<Real>::block;
  constexpr Real hidden = -std::numeric_limits<Real>::infinity();
  const Index rows = queries.rows, d = shape_.d_head, blocks = store.blocks();
  const Real* position_parameters = parameters + position_offset_;
  // What rounding can take from a bound, or add to a score, relative to the products they are sums
  // of. Of the d_head products of a score |q||k| bounds the sum of sizes, of those of a bound |q|
  // times the norm of the block's largest coordinates does; a sum of d_head of them is off by less
  // than d_head units in the last place of it, and norms, bias and their sums by a few more.
  const Real rounding = static_cast<Real>(d + 16) * std::numeric_limits<Real>::epsilon();
  const Index last_block = places[rows - 1] / block;
  std::vector<Index> visible(places, places + rows);
  for (Index& count : visible) ++count;

  const auto scores = reserve(scratch.scores, rows, block);
  // With q+ and q- the positive and negative parts of a query, q+ . largest + q- . smallest bounds
  // its product with every key of a block; one product gives all bounds of the tile.
  const auto signs = reserve(scratch.weights, rows, 2 * d);
  const auto bounds = reserve(scratch.dweights, skip ? rows : 0, last_block + 1);
  std::vector<Real> norms(static_cast<std::size_t>(rows)), floors(static_cast<std::size_t>(rows));

  for (const Index head : heads) {
    stream.start(normalizer_parameters(parameters, head), visible);
    if (skip) {
      for (Index i = 0; i < rows; ++i) {
        const Real* query = queries.row(i) + head * d;
        Real squares = 0;
        for (Index j = 0; j < d; ++j) {
          signs.row(i)[j] = std::max(query[j], Real(0));
          signs.row(i)[d + j] = std::min(query[j], Real(0));
          squares += query[j] * query[j];
        }
        norms[static_cast<std::size_t>(i)] = std::sqrt(squares);
      }
      product<Real>(signs,
                    {store.bounds.data() + head * 2 * d * blocks, 2 * d, last_block + 1, blocks},
                    bounds);
      std::fill(floors.begin(), floors.end(), hidden);
    }

    for (Index b = last_block; b >= 0; --b) {
      const Index first = b * block;
      const Index keys = std::min(block, places[rows - 1] + 1 - first);
      if (skip) {
        const auto of_block = static_cast<std::size_t>(head * blocks + b);
        bool here = false, here_or_earlier = false;
        for (Index i = 0; i < rows && !here; ++i) {
          if (places[i] < first) {  // all its keys are still to come
            here_or_earlier = true;
            continue;
          }
          const Position nearest = store.positions[std::min(places[i], first + keys - 1)];
          const Real bias = position_->bias_bound(position_parameters, head,
                                                  store.positions[places[i]] - nearest);
          if (bias == hidden) continue;
          const auto at = static_cast<std::size_t>(i);
          const Real slack = (norms[at] * store.sizes[of_block] + std::abs(bias)) * rounding;
          // Where a bound is not a number (a model gone bad) nothing is left out.
          here_or_earlier |= !(norms[at] * store.norms[of_block] + slack + bias <= floors[at]);
          here |= !(bounds.row(i)[b] + slack + bias <= floors[at]);
        }
        if (!here && !here_or_earlier) break;
        if (!here) continue;
      }
      const MatrixView<Real> tile(scores.data, rows, keys, block);
      product_bt<Real>(queries.middle_cols(head * d, d),
                       store.keys.middle_rows(first, keys).middle_cols(head * d, d), tile);
      for (Index i = 0; i < rows; ++i) {
        const Index seen = std::clamp<Index>(places[i] + 1 - first, 0, keys);
        if (seen > 0 && position_->biased(head))
          position_->add_bias(position_parameters, head, store.positions[places[i]],
                              store.positions + first, seen, tile.row(i));
        std::fill(tile.row(i) + seen, tile.row(i) + keys, hidden);
      }
      stream.push(tile, store.values.middle_rows(first, keys).middle_cols(head * d, d), first);
      if (skip)
        for (Index i = 0; i < rows; ++i) floors[static_cast<std::size_t>(i)] = stream.floor(i);
    }
    stream.finish(store.values.middle_cols(head * d, d), output.middle_cols(head * d, d));
  }
}

template <class Real>
bool Attention<Real>::countable(Index head) const {
  return normalizer_->countable() && !position_->rotary() && !position_->biased(head);
}

template <class Real>
void Attention<Real>::attend_counted(const Real* parameters, ConstMatrixView<Real> keys,
                                     ConstMatrixView<Real> values, ConstMatrixView<Real> copies,
                                     ConstMatrixView<Real> queries, std::span<const Index> heads,
                                     MatrixView<Real> output,
                                     AttentionScratch<Real>& scratch) const {
  const Index d = shape_.d_head;
  const auto scores = reserve(scratch.scores, queries.rows, keys.rows);
  const auto weights = reserve(scratch.weights, queries.rows, keys.rows);
  for (const Index head : heads) {
    product_bt<Real>(queries.middle_cols(head * d, d), keys.middle_cols(head * d, d), scores);
    for (Index i = 0; i < queries.rows; ++i)
      normalizer_->counted(normalizer_parameters(parameters, head), scores.row(i), copies.row(i),
                           keys.rows, weights.row(i));
    product<Real>(weights, values.middle_cols(head * d, d), output.middle_cols(head * d, d));
  }
}

template class Attention<float>;
template class Attention<double>;

}  // namespace attnspan
