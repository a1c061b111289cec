#include "attention/attention_streaming.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "ops/product.hpp"

namespace attnspan {

template <class Real>
AttentionStreaming<Real>::AttentionStreaming(std::span<const Position> positions, bool skip,
                                             const std::atomic<bool>* stop)
    : positions_(positions),
      skip_(skip),
      stop_(stop),
      locals_(static_cast<std::size_t>(threads())) {}

template <class Real>
typename AttentionStreaming<Real>::Local& AttentionStreaming<Real>::local() {
  return locals_[static_cast<std::size_t>(thread_number())];
}

template <class Real>
void AttentionStreaming<Real>::open(const Attention<Real>& layer, const Real* parameters,
                                    ConstMatrixView<Real> stream, std::span<const Index> places,
                                    const EmbeddedTokens<Real>* embedded) {
  layer_ = &layer;
  parameters_ = parameters;
  places_ = places;
  for (Local& local : locals_) local.scratch.streams.clear();  // layers may differ
  by_token_ =
      embedded && skip_ && embedded->embedding.rows < static_cast<Index>(embedded->tokens.size());
  if (by_token_) project_tokens(*embedded);
  split_heads();
  if (!streamed_heads_.empty()) put_keys(stream);
  if (!counted_heads_.empty()) count_tokens();
}

template <class Real>
void AttentionStreaming<Real>::split_heads() {
  const HeadStreaming<Real> heads(layer_->heads());
  streamed_heads_.clear();
  counted_heads_.clear();
  for (Index head = 0; head < layer_->heads().shape().heads; ++head)
    (by_token_ && heads.countable(head) ? counted_heads_ : streamed_heads_).push_back(head);
}

/// Normed input, queries, keys and values of each token of the vocabulary: a row that depends on
/// its token alone copies them, and has the same numbers.
template <class Real>
void AttentionStreaming<Real>::project_tokens(const EmbeddedTokens<Real>& embedded) {
  const Index vocabulary = embedded.embedding.rows, keys = layer_->key_width();
  AlignedVector<Real> inverse_rms;
  HeadNormTrace<Real> head_norm;
  const auto normed = reserve(token_normed_memory_, vocabulary, embedded.embedding.cols);
  layer_->normalise(parameters_, embedded.embedding, normed,
                    reserve(inverse_rms, vocabulary, 1).data);
  const auto query = reserve(token_query_memory_, vocabulary, keys);
  layer_->project_query(parameters_, normed, query, head_norm);
  const auto key_value = reserve(token_key_value_memory_, vocabulary, keys + layer_->width());
  layer_->project_key_value(parameters_, normed, key_value, head_norm);
  tokens_ = embedded.tokens;
  token_normed_ = normed;
  token_query_ = query;
  token_key_value_ = key_value;
}

template <class Real>
void AttentionStreaming<Real>::copy_rows(ConstMatrixView<Real> of_tokens, Index first,
                                         MatrixView<Real> rows) const {
  for (Index i = 0; i < rows.rows; ++i)
    std::copy_n(of_tokens.row(tokens_[static_cast<std::size_t>(first + i)]), rows.cols,
                rows.row(i));
}

template <class Real>
void AttentionStreaming<Real>::put_keys(ConstMatrixView<Real> stream) {
  const HeadStreaming<Real> heads(layer_->heads());
  const Real* of_heads = layer_->head_parameters(parameters_);
  const Index d = stream.cols, keys = layer_->key_width(), values = layer_->width();
  heads.open(positions_, store_);
  const auto all_normed = reserve(normed_, heads.reads() ? stream.rows : 0, d);
  parallel_for(streaming_tiles(stream.rows), [&](Index tile) {
    if (stopped()) return;
    Local& mine = local();
    const Index first = tile * streaming_rows;
    const Index rows = std::min(streaming_rows, stream.rows - first);
    const auto normed =
        heads.reads() ? all_normed.middle_rows(first, rows) : reserve(mine.normed, rows, d);
    const auto key_value = reserve(mine.key_value, rows, keys + values);
    if (by_token_) {
      copy_rows(token_normed_, first, normed);
      copy_rows(token_key_value_, first, key_value);
    } else {
      layer_->normalise(parameters_, stream.middle_rows(first, rows), normed,
                        reserve(mine.inverse_rms, rows, 1).data);
      layer_->project_key_value(parameters_, normed, key_value, mine.head_norm);
    }
    if (heads.selective()) {
      const auto query = reserve(mine.query, rows, keys);
      layer_->project_query(parameters_, normed, query, mine.head_norm);
      heads.put_selectors(of_heads, first, query, normed, store_, mine.scratch);
    }
    heads.put(of_heads, first, key_value.middle_cols(0, keys), key_value.middle_cols(keys, values),
              store_, mine.scratch);
  });
  if (stopped()) return;
  heads.close(of_heads, all_normed, skip_, store_);
  constexpr std::size_t many = 512;
  heads.sift(skip_ && places_.size() >= many ? streamed_heads_ : std::vector<Index>{}, store_);
}

template <class Real>
Index AttentionStreaming<Real>::tiles_at_once() const {
  const Index tiles = streaming_tiles(static_cast<Index>(places_.size()));
  const bool selective = HeadStreaming<Real>(layer_->heads()).selective();
  return selective ? std::min<Index>(tiles, static_cast<Index>(locals_.size())) : tiles;
}

template <class Real>
void AttentionStreaming<Real>::select(Index tile, Index count) {
  const HeadStreaming<Real> heads(layer_->heads());
  if (!heads.selective() || stopped()) return;
  if (tile == 0) selection_.start(static_cast<Index>(positions_.size()));
  const Index first = tile * streaming_rows;
  const Index rows = std::min(count * streaming_rows, static_cast<Index>(places_.size()) - first);
  first_selected_ = tile;
  taken_ = selection_.advance(
      heads, layer_->head_parameters(parameters_), store_,
      places_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)), stop_);
}

/// The table of keys and values, and how often each token stands before the first row of every
/// tile.
template <class Real>
void AttentionStreaming<Real>::count_tokens() {
  const Index vocabulary = token_key_value_.rows, keys = layer_->key_width();
  counted_.keys = HeadStreaming<Real>(layer_->heads())
                      .countable_keys(token_key_value_.middle_cols(0, keys), token_keys_);
  counted_.values = token_key_value_.middle_cols(keys, layer_->width());

  const Index tiles = streaming_tiles(static_cast<Index>(places_.size()));
  const auto copies = reserve_zeros(copies_before_, tiles, vocabulary);
  Index place = 0;
  for (Index tile = 0; tile < tiles; ++tile) {
    Real* row = copies.row(tile);
    if (tile > 0) std::copy_n(copies.row(tile - 1), vocabulary, row);
    for (; place < places_[static_cast<std::size_t>(tile * streaming_rows)]; ++place)
      row[tokens_[static_cast<std::size_t>(place)]] += 1;
  }
}

/// How often each row of a tile sees each token: rows x vocabulary.
template <class Real>
MatrixView<const Real> AttentionStreaming<Real>::copies_seen(Index tile,
                                                             std::span<const Index> places) {
  const Index vocabulary = counted_.keys.rows;
  const auto copies = reserve(local().copies, static_cast<Index>(places.size()), vocabulary);
  const Real* before = copies_before_.data() + tile * vocabulary;
  Index place = places[0];
  for (Index i = 0; i < copies.rows; ++i) {
    std::copy_n(before, vocabulary, copies.row(i));
    for (; place <= places[static_cast<std::size_t>(i)]; ++place)
      copies.row(i)[tokens_[static_cast<std::size_t>(place)]] += 1;
    before = copies.row(i);
  }
  return copies;
}

template <class Real>
void AttentionStreaming<Real>::add(Index tile, MatrixView<Real> tile_stream) {
  Local& mine = local();
  const HeadStreaming<Real> heads(layer_->heads());
  const Real* of_heads = layer_->head_parameters(parameters_);
  const Index rows = tile_stream.rows, d = tile_stream.cols;
  const auto places = places_.subspan(static_cast<std::size_t>(tile * streaming_rows),
                                      static_cast<std::size_t>(rows));
  const auto normed = reserve(mine.normed, rows, d);
  const auto query = reserve(mine.query, rows, layer_->key_width());
  if (by_token_) {
    for (Index i = 0; i < rows; ++i) {
      copy_rows(token_normed_, places[static_cast<std::size_t>(i)], normed.middle_rows(i, 1));
      copy_rows(token_query_, places[static_cast<std::size_t>(i)], query.middle_rows(i, 1));
    }
  } else {
    layer_->normalise(parameters_, tile_stream, normed, reserve(mine.inverse_rms, rows, 1).data);
    layer_->project_query(parameters_, normed, query, mine.head_norm);
  }
  const auto scaled = heads.queries(of_heads, query, normed, places, positions_, mine.scratch);

  const auto attended = reserve(mine.attended, rows, layer_->width());
  MatrixView<const Real> taken;
  if (heads.selective())
    taken = taken_.middle_rows((tile - first_selected_) * streaming_rows, rows);
  if (!streamed_heads_.empty())
    heads.attend(of_heads, store_, {places, scaled, taken}, streamed_heads_, skip_, attended,
                 mine.scratch);
  if (!counted_heads_.empty()) {
    const CountedKeys<Real> counted{counted_.keys, counted_.values, copies_seen(tile, places)};
    heads.attend_counted(of_heads, counted, scaled, counted_heads_, attended, mine.scratch);
  }
  layer_->add_output(parameters_, normed, attended, tile_stream, mine.output);
}

template <class Real>
void AttentionStreaming<Real>::show(Index place, ConstMatrixView<Real> row,
                                    const std::function<void(const AttentionRow<Real>&)>& visit) {
  Local& mine = local();
  const Heads<Real>& heads = layer_->heads();
  const HeadStreaming<Real> streaming(heads);
  const Real* of_heads = layer_->head_parameters(parameters_);
  const auto normed = reserve(mine.normed, 1, row.cols);
  layer_->normalise(parameters_, row, normed, reserve(mine.inverse_rms, 1, 1).data);
  const auto query = reserve(mine.query, 1, layer_->key_width());
  layer_->project_query(parameters_, normed, query, mine.head_norm);
  const std::span<const Index> places(&place, 1);
  const auto scaled = streaming.queries(of_heads, query, normed, places, positions_, mine.scratch);
  MatrixView<const Real> taken;
  if (streaming.selective()) {  // from the first row on: places come in any order
    selection_.start(static_cast<Index>(positions_.size()));
    taken = selection_.advance(streaming, of_heads, store_, places, stop_);
    if (stopped()) return;
  }

  const Index d = heads.shape().d_head, keys = place + 1;
  AlignedVector<Real> scores_memory, weights_memory, output_memory;
  const auto scores = reserve(scores_memory, 1, keys), weights = reserve(weights_memory, 1, keys),
             output = reserve(output_memory, 1, d);
  std::vector<Real> scales(static_cast<std::size_t>(heads.shape().heads), Real(1));
  for (std::size_t i = 0; i < heads.scaled().size(); ++i)
    scales[static_cast<std::size_t>(heads.scaled()[i])] = mine.scratch.scales[i];
  const auto size = static_cast<std::size_t>(keys);
  for (Index head = 0; head < heads.shape().heads; ++head) {
    streaming.weigh(of_heads, store_, {places, scaled, taken}, head, scores.data, weights.data,
                    mine.scratch);
    product<Real>(weights, store_.values[static_cast<std::size_t>(head)].middle_rows(0, keys),
                  output);
    visit({head,
           place,
           {scores.data, size},
           {weights.data, size},
           {output.data, static_cast<std::size_t>(d)},
           scales[static_cast<std::size_t>(head)]});
  }
}

template class AttentionStreaming<float>;
template class AttentionStreaming<double>;

}  // namespace attnspan
