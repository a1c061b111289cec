#include "attention/head_streaming.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "ops/product.hpp"

namespace attnspan {
namespace {

template <class Real>
constexpr Real hidden = -std::numeric_limits<Real>::infinity();

/// Makes room for some matrices, one behind the other.
template <class Real>
void reserve_each(Room<Real>& room, Index count, Index rows, Index cols,
                  std::vector<MatrixView<Real>>& matrices) {
  const MatrixView<Real> all = reserve(room, count * rows, cols);
  matrices.clear();
  for (Index k = 0; k < count; ++k) matrices.push_back(all.middle_rows(k * rows, rows));
}

/// Takes rows apart: the first columns to the first matrix, the next to the second, ..., from row
/// `first` on.
template <class Real>
void put_each(ConstMatrixView<Real> rows, Index first,
              const std::vector<MatrixView<Real>>& matrices) {
  for (Index i = 0; i < rows.rows; ++i) {
    const Real* from = rows.row(i);
    for (const MatrixView<Real>& matrix : matrices) {
      std::copy_n(from, matrix.cols, matrix.row(first + i));
      from += matrix.cols;
    }
  }
}

/// A row looks at so many keys before it sifts others: their floor leaves it less to find.
constexpr Index looked_at = 512;

}  // namespace

/// One head and view of one tile on its way back through the keys. `vector` tells their queries and
/// keys among those of all heads and views.
template <class Real>
struct HeadStreaming<Real>::Walk {
  const Real* position_parameters;
  const KeyStore<Real>& store;
  const QueryTile<Real>& tile;
  Index head, vector;

  Index rows() const { return tile.queries.rows; }
  Index place(Index row) const { return tile.places[static_cast<std::size_t>(row)]; }
  Index last_place() const { return tile.places.back(); }
  ConstMatrixView<Real> key_rows() const { return store.keys[static_cast<std::size_t>(vector)]; }
  ConstMatrixView<Real> value_rows() const { return store.values[static_cast<std::size_t>(head)]; }
  /// Keys of a block that any row sees.
  Index keys(Index block) const {
    return std::min(KeyStore<Real>::block, last_place() + 1 - block * KeyStore<Real>::block);
  }
  /// Keys of a block that this row sees.
  Index seen(Index row, Index block) const {
    return std::clamp<Index>(place(row) + 1 - block * KeyStore<Real>::block, 0, keys(block));
  }
};

template <class Real>
void HeadStreaming<Real>::open(std::span<const Position> positions, KeyStore<Real>& store) const {
  const auto tokens = static_cast<Index>(positions.size());
  store.positions = positions;
  reserve_each(store.key_memory, heads_.vectors(), tokens, heads_.width(), store.keys);
  reserve_each(store.value_memory, heads_.shape().heads, tokens, heads_.shape().d_head,
               store.values);
  store.features =
      reserve(store.feature_memory, tokens, heads_.shape().heads * heads_.position().features());
  store.selectors = reserve(store.selector_memory, selective() ? tokens : 0, heads_.width());
}

template <class Real>
void HeadStreaming<Real>::put_selectors(const Real* parameters, Index first,
                                        ConstMatrixView<Real> projected, ConstMatrixView<Real> x,
                                        KeyStore<Real>& store,
                                        StreamingScratch<Real>& scratch) const {
  std::vector<Index> places(static_cast<std::size_t>(projected.rows));
  std::iota(places.begin(), places.end(), first);
  const auto of_rows = queries(parameters, projected, x, places, store.positions, scratch);
  for (Index i = 0; i < projected.rows; ++i)
    std::copy_n(of_rows.row(i), heads_.width(), store.selectors.row(first + i));
}

template <class Real>
void HeadStreaming<Real>::first_head_scores(const Real* parameters, const KeyStore<Real>& store,
                                            Index first, MatrixView<Real> scores,
                                            StreamingScratch<Real>& scratch) const {
  std::vector<Index> places(static_cast<std::size_t>(scores.rows));
  std::iota(places.begin(), places.end(), first);
  const QueryTile<Real> tile{places, store.selectors.middle_rows(first, scores.rows)};
  const Walk walk{parameters + heads_.position_offset(), store, tile, 0, 0};
  reserve_zeros(scratch.carried, walk.rows(), heads_.position().carried());
  for (Index block = walk.last_place() / KeyStore<Real>::block; block >= 0; --block) {
    const auto of_block = score(walk, block, scratch);
    for (Index i = 0; i < scores.rows; ++i)
      std::copy_n(of_block.row(i), of_block.cols, scores.row(i) + block * KeyStore<Real>::block);
  }
}

template <class Real>
void HeadStreaming<Real>::put(const Real* parameters, Index first, ConstMatrixView<Real> keys,
                              ConstMatrixView<Real> values, KeyStore<Real>& store,
                              StreamingScratch<Real>& scratch) const {
  const auto prepared =
      heads_.prepare(parameters, Phase::evaluation, Role::key, store.positions.data() + first, keys,
                     scratch.unit, scratch.turned);
  put_each<Real>(prepared, first, store.keys);
  put_each<Real>(values, first, store.values);
}

template <class Real>
void HeadStreaming<Real>::close(const Real* parameters, ConstMatrixView<Real> x, bool skip,
                                KeyStore<Real>& store) const {
  if (reads()) heads_.position().read(parameters + heads_.position_offset(), x, store.features);
  if (skip) store.bounds.take(store.keys);
}

template <class Real>
void HeadStreaming<Real>::sift(std::span<const Index> which, KeyStore<Real>& store) const {
  std::vector<Index> vectors;
  for (const Index head : which)
    for (Index view = 0; view < heads_.views(); ++view)
      if (KeySieve<Real>::pays() && !selective() && !heads_.position().biased(head))
        vectors.push_back(view * heads_.shape().heads + head);
  store.sieve.take(store.keys, vectors);
}

template <class Real>
MatrixView<const Real> HeadStreaming<Real>::queries(const Real* parameters,
                                                    ConstMatrixView<Real> projected,
                                                    ConstMatrixView<Real> x,
                                                    std::span<const Index> places,
                                                    std::span<const Position> positions,
                                                    StreamingScratch<Real>& scratch) const {
  std::vector<Position> of_rows;
  for (const Index place : places) of_rows.push_back(positions[static_cast<std::size_t>(place)]);
  const auto prepared = heads_.prepare(parameters, Phase::evaluation, Role::query, of_rows.data(),
                                       projected, scratch.unit, scratch.turned);
  const auto scaled = reserve(scratch.scaled, projected.rows, heads_.total_width());
  heads_.scale(parameters, Phase::evaluation, x, places.data(), prepared,
               reserve(scratch.scales, projected.rows, static_cast<Index>(heads_.scaled().size())),
               {}, scaled);
  return scaled;
}

template <class Real>
BiasRow<Real> HeadStreaming<Real>::bias_row(const Walk& walk, Index row, Index first,
                                            Index count) const {
  const Index place = walk.place(row), numbers = heads_.position().features();
  BiasRow<Real> bias;
  bias.query = walk.store.positions[static_cast<std::size_t>(place)];
  bias.keys = walk.store.positions.data() + first;
  bias.count = count;
  bias.vector = walk.tile.queries.row(row) + walk.vector * heads_.width();
  if (numbers > 0) {
    bias.features = walk.store.features.row(place) + walk.head * numbers;
    bias.key_features =
        walk.store.features.middle_rows(first, count).middle_cols(walk.head * numbers, numbers);
  }
  return bias;
}

/// Whether any row may need a key of this block, or at least of an earlier one. Where a bound is
/// not a number (a model gone bad) nothing is left out.
template <class Real>
typename HeadStreaming<Real>::Needed HeadStreaming<Real>::needed(
    const Walk& walk, Index block, StreamingScratch<Real>& scratch) const {
  bool earlier = false;
  scratch.bounds.reach(block);
  for (Index i = 0; i < walk.rows(); ++i) {
    const Index seen = walk.seen(i, block);
    if (seen == 0) {  // all its keys are still to come
      earlier = true;
      continue;
    }
    const Real bias =
        heads_.position().bias_bound(walk.position_parameters, walk.head,
                                     bias_row(walk, i, block * KeyStore<Real>::block, seen));
    if (bias == hidden<Real>) continue;
    const Real floor = scratch.floors[static_cast<std::size_t>(i)];
    if (!(scratch.bounds.here(i, block, bias) <= floor)) return Needed::here;
    earlier |= !(scratch.bounds.here_or_earlier(i, block, bias) <= floor);
  }
  return earlier ? Needed::elsewhere : Needed::nowhere;
}

/// Biased scores of a block, hidden where a row does not see a key.
template <class Real>
MatrixView<Real> HeadStreaming<Real>::score(const Walk& walk, Index block,
                                            StreamingScratch<Real>& scratch) const {
  const Index first = block * KeyStore<Real>::block, keys = walk.keys(block), d = heads_.width();
  const Index passed = heads_.position().carried();
  const MatrixView<Real> scores(reserve(scratch.scores, walk.rows(), KeyStore<Real>::block).data,
                                walk.rows(), keys, KeyStore<Real>::block);
  product_bt<Real>(walk.tile.queries.middle_cols(walk.vector * d, d),
                   walk.key_rows().middle_rows(first, keys), scores);
  const bool biased = heads_.position().biased(walk.head);
  for (Index i = 0; i < walk.rows(); ++i) {
    const Index seen = walk.seen(i, block);
    if (seen > 0 && biased)
      heads_.position().add_bias(walk.position_parameters, walk.head,
                                 bias_row(walk, i, first, seen), scores.row(i),
                                 scratch.carried.data() + i * passed);
    if (walk.tile.taken.data)
      for (Index j = 0; j < seen; ++j) scores.row(i)[j] -= walk.tile.taken.row(i)[first + j];
    std::fill(scores.row(i) + seen, scores.row(i) + keys, hidden<Real>);
  }
  return scores;
}

template <class Real>
void HeadStreaming<Real>::attend(const Real* parameters, const KeyStore<Real>& store,
                                 const QueryTile<Real>& tile, std::span<const Index> which,
                                 bool skip, MatrixView<Real> output,
                                 StreamingScratch<Real>& scratch) const {
  const Index d = heads_.shape().d_head, rows = tile.queries.rows;
  const Normalizer<Real>& normalizer = heads_.normalizer(Phase::evaluation);
  while (static_cast<Index>(scratch.streams.size()) < heads_.views())
    scratch.streams.push_back(
        normalizer.of_view(static_cast<Index>(scratch.streams.size())).stream(d));
  std::vector<Index> visible(tile.places.begin(), tile.places.end());
  for (Index& count : visible) ++count;
  for (const Index head : which)
    for (Index view = 0; view < heads_.views(); ++view) {
      const Walk walk{parameters + heads_.position_offset(), store, tile, head,
                      view * heads_.shape().heads + head};
      RowStream<Real>& stream = *scratch.streams[static_cast<std::size_t>(view)];
      stream.start(parameters + heads_.normalizer_offset(head), visible);
      if (skip && stream.traceless() && store.sieve.has(walk.vector))
        attend_sifted(walk, stream, scratch);
      else
        attend(walk, skip, stream, scratch);
      const auto of_head = output.middle_cols(head * d, d);
      if (view == 0) {
        stream.finish(walk.value_rows(), of_head);
        continue;
      }
      const auto more = reserve(scratch.more, rows, d);
      stream.finish(walk.value_rows(), more);
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < d; ++j) of_head.row(i)[j] += more.row(i)[j];
    }
}

/// Pushes the blocks that a head and view needs.
template <class Real>
void HeadStreaming<Real>::attend(const Walk& walk, bool skip, RowStream<Real>& stream,
                                 StreamingScratch<Real>& scratch) const {
  const Index wide = heads_.width(), rows = walk.rows();
  const Index last_block = walk.last_place() / KeyStore<Real>::block;
  reserve_zeros(scratch.carried, rows, heads_.position().carried());
  if (skip) {
    scratch.bounds.open(walk.store.bounds, walk.vector,
                        walk.tile.queries.middle_cols(walk.vector * wide, wide));
    scratch.floors.assign(static_cast<std::size_t>(rows), hidden<Real>);
  }
  for (Index block = last_block; block >= 0; --block) {
    const Needed need = skip ? needed(walk, block, scratch) : Needed::here;
    if (need == Needed::nowhere) break;
    if (need == Needed::elsewhere) continue;
    const Index first = block * KeyStore<Real>::block;
    stream.push(score(walk, block, scratch), walk.value_rows().middle_rows(first, walk.keys(block)),
                first);
    if (skip)
      for (Index i = 0; i < rows; ++i)
        scratch.floors[static_cast<std::size_t>(i)] = stream.floor(i);
  }
}

/// The same, stretch by stretch, each row on its own: one that knows enough of a floor sifts the
/// whole stretches behind it, unless too much of them is above it.
template <class Real>
void HeadStreaming<Real>::attend_sifted(const Walk& walk, RowStream<Real>& stream,
                                        StreamingScratch<Real>& scratch) const {
  constexpr Index length = KeySieve<Real>::stretch;
  const Index wide = heads_.width();
  scratch.sieve.open(walk.store.sieve, walk.vector,
                     walk.tile.queries.middle_cols(walk.vector * wide, wide));
  std::vector<Index> sifting, others;
  for (Index s = walk.last_place() / length; s >= 0; --s) {
    sifting.clear();
    others.clear();
    scratch.floors.clear();
    for (Index i = 0; i < walk.rows(); ++i) {
      scratch.floors.push_back(stream.floor(i));
      if (walk.place(i) >= (s + 1) * length + looked_at)
        sifting.push_back(i);
      else if (walk.place(i) >= s * length)
        others.push_back(i);
    }
    if (!sifting.empty()) scratch.sieve.sift(s, scratch.floors);
    for (const Index row : sifting) {
      const Index found = scratch.sieve.found(row);
      if (found < 0)
        others.push_back(row);
      else
        stream.push_found(row, scratch.sieve.scores(), scratch.sieve.places(), found, s * length);
    }
    if (!others.empty()) push_stretch(walk, s, others, stream, scratch);
  }
}

/// Pushes all keys of a stretch that these rows see.
template <class Real>
void HeadStreaming<Real>::push_stretch(const Walk& walk, Index stretch, std::span<const Index> rows,
                                       RowStream<Real>& stream,
                                       StreamingScratch<Real>& scratch) const {
  constexpr Index length = KeySieve<Real>::stretch, block = KeyStore<Real>::block;
  const Index wide = heads_.width(), count = static_cast<Index>(rows.size());
  const auto queries = reserve(scratch.few_queries, count, wide);
  for (Index i = 0; i < count; ++i)
    std::copy_n(walk.tile.queries.row(rows[static_cast<std::size_t>(i)]) + walk.vector * wide, wide,
                queries.row(i));
  const Index last = std::min((stretch + 1) * length - 1, walk.last_place());
  for (Index b = last / block; b >= stretch * length / block; --b) {
    const Index first = b * block, keys = std::min(block, last + 1 - first);
    const auto scores = reserve(scratch.scores, count, block);
    product_bt<Real>(queries, walk.key_rows().middle_rows(first, keys),
                     MatrixView<Real>(scores.data, count, keys, block));
    for (Index i = 0; i < count; ++i) {
      const Index row = rows[static_cast<std::size_t>(i)];
      if (walk.seen(row, b) > 0)
        stream.push_row(row, scores.row(i), std::min(keys, walk.seen(row, b)), first);
    }
  }
}

template <class Real>
void HeadStreaming<Real>::weigh(const Real* parameters, const KeyStore<Real>& store,
                                const QueryTile<Real>& tile, Index head, Real* scores,
                                Real* weights, StreamingScratch<Real>& scratch) const {
  const Normalizer<Real>& normalizer = heads_.normalizer(Phase::evaluation);
  const Index count = tile.places.back() + 1;
  std::vector<Real> of_view(static_cast<std::size_t>(count)), more(static_cast<std::size_t>(count));
  std::fill_n(weights, count, Real(0));
  for (Index view = 0; view < heads_.views(); ++view) {
    const Walk walk{parameters + heads_.position_offset(), store, tile, head,
                    view * heads_.shape().heads + head};
    reserve_zeros(scratch.carried, 1, heads_.position().carried());
    for (Index block = walk.last_place() / KeyStore<Real>::block; block >= 0; --block)
      std::copy_n(score(walk, block, scratch).row(0), walk.keys(block),
                  of_view.data() + block * KeyStore<Real>::block);
    if (view == 0) std::copy_n(of_view.data(), count, scores);
    const Normalizer<Real>& own = normalizer.of_view(view);
    std::vector<Real> state(static_cast<std::size_t>(own.state_size()));
    own.forward(parameters + heads_.normalizer_offset(head), of_view.data(), count, more.data(),
                state.data());
    for (Index j = 0; j < count; ++j) weights[j] += more[static_cast<std::size_t>(j)];
  }
}

template <class Real>
bool HeadStreaming<Real>::countable(Index head) const {
  return heads_.normalizer(Phase::evaluation).countable() && heads_.views() == 1 &&
         heads_.position().width() == 0 && !heads_.position().biased(head);
}

template <class Real>
MatrixView<const Real> HeadStreaming<Real>::countable_keys(ConstMatrixView<Real> keys,
                                                           AlignedVector<Real>& unit) const {
  AlignedVector<Real> unturned;
  return heads_.prepare(nullptr, Phase::evaluation, Role::key, nullptr, keys, unit, unturned);
}

template <class Real>
void HeadStreaming<Real>::attend_counted(const Real* parameters, const CountedKeys<Real>& counted,
                                         ConstMatrixView<Real> queries,
                                         std::span<const Index> which, MatrixView<Real> output,
                                         StreamingScratch<Real>& scratch) const {
  const Index d = heads_.shape().d_head, distinct = counted.keys.rows;
  const auto scores = reserve(scratch.scores, queries.rows, distinct);
  const auto weights = reserve(scratch.weights, queries.rows, distinct);
  for (const Index head : which) {
    product_bt<Real>(queries.middle_cols(head * d, d), counted.keys.middle_cols(head * d, d),
                     scores);
    for (Index i = 0; i < queries.rows; ++i)
      heads_.normalizer(Phase::evaluation)
          .counted(parameters + heads_.normalizer_offset(head), scores.row(i),
                   counted.copies.row(i), distinct, weights.row(i));
    product<Real>(weights, counted.values.middle_cols(head * d, d),
                  output.middle_cols(head * d, d));
  }
}

template class HeadStreaming<float>;
template class HeadStreaming<double>;

}  // namespace attnspan
