#include <omp.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/parallel.hpp"
#include "model/transformer.hpp"
#include "ops/gelu.hpp"
#include "ops/product.hpp"
#include "ops/rmsnorm.hpp"

namespace attnspan {
namespace {

/// Rows of a sequence that a thread works on at one time.
constexpr Index tile_rows = 64;

Index tiles_of(Index rows) { return (rows + tile_rows - 1) / tile_rows; }

/// Memory of one thread.
template <class Real>
struct Local {
  AlignedVector<Real> normed, inverse_rms, query, attended, hidden, copies;
  AttentionScratch<Real> scratch;
  std::unique_ptr<RowStream<Real>> attention_stream;
};

}  // namespace

/// One sequence on its way through the layers. Only the residual stream and one layer's keys and
/// values are kept for all rows.
template <class Real>
class Transformer<Real>::StreamingPass {
 public:
  StreamingPass(const Transformer& model, const Real* parameters,
                std::span<const std::int32_t> tokens, std::span<const Position> positions,
                const StreamingOptions& options)
      : model_(model),
        parameters_(parameters),
        tokens_(tokens),
        positions_(positions),
        options_(options),
        n_(static_cast<Index>(tokens.size())),
        d_(model.config_.d_model),
        // Bounds pay from a few blocks of keys on.
        skip_(options.skip && n_ > 2 * KeyStore<Real>::block),
        locals_(static_cast<std::size_t>(omp_get_max_threads())) {
    stream_ = reserve(stream_memory_, n_, d_);
    key_value_ = reserve(key_value_memory_, n_, 2 * d_);
    store_.keys = key_value_.middle_cols(0, d_);
    store_.values = key_value_.middle_cols(d_, d_);
    store_.positions = positions.data();
  }

  /// Logits at the answer rows, or nothing when stopped.
  AlignedVector<Real> run(std::span<const Index> answer_rows) {
    for (Index i = 0; i < n_; ++i)
      std::copy_n(parameters_ + model_.embedding_ + tokens_[static_cast<std::size_t>(i)] * d_, d_,
                  stream_.row(i));
    std::vector<Index> all_rows(tokens_.size());
    std::iota(all_rows.begin(), all_rows.end(), Index{0});
    for (std::size_t l = 0; l + 1 < model_.layers_.size(); ++l) layer(l, all_rows, stream_);

    // The last layer works out the answer rows alone; they leave the stream.
    const auto answers = static_cast<Index>(answer_rows.size());
    AlignedVector<Real> answer_memory;
    const auto answer_stream = reserve(answer_memory, answers, d_);
    if (stopped()) return {};
    for (Index i = 0; i < answers; ++i)
      std::copy_n(stream_.row(answer_rows[static_cast<std::size_t>(i)]), d_, answer_stream.row(i));
    layer(model_.layers_.size() - 1, answer_rows, answer_stream);
    if (stopped()) return {};
    return logits(answer_stream);
  }

 private:
  bool stopped() const { return options_.stop && options_.stop->load(std::memory_order_relaxed); }

  Local<Real>& local() { return locals_[static_cast<std::size_t>(omp_get_thread_num())]; }

  MatrixView<const Real> weights(Index offset, Index rows, Index cols) const {
    return {parameters_ + offset, rows, cols};
  }

  AlignedVector<Real> logits(MatrixView<Real> rows) const {
    const Index vocabulary = model_.config_.vocabulary;
    AlignedVector<Real> normed_memory, inverse_rms, logits;
    const auto normed = reserve(normed_memory, rows.rows, d_);
    rmsnorm<Real>(rows, parameters_ + model_.norm_, normed,
                  reserve(inverse_rms, rows.rows, 1).data);
    product<Real>(normed, weights(model_.output_, d_, vocabulary),
                  reserve(logits, rows.rows, vocabulary));
    return logits;
  }

  /// Adds a layer to `target`, whose rows stand at `places` of the sequence.
  void layer(std::size_t l, std::span<const Index> places, MatrixView<Real> target) {
    const LayerOffsets& at = model_.layers_[l];
    split_heads(l);
    if (!streamed_heads_.empty()) keys_and_values(at);
    if (!counted_heads_.empty()) count_tokens(at, places);
    parallel_for(tiles_of(target.rows), [&](Index tile) {
      if (stopped()) return;
      const Index first = tile * tile_rows, rows = std::min(tile_rows, target.rows - first);
      const auto tile_stream = target.middle_rows(first, rows);
      attend(at, tile,
             places.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
             tile_stream);
      feed_forward(at, tile_stream);
    });
  }

  /// In the first layer keys and values depend on the token alone, so heads that see the past as a
  /// multiset are worked out from counts of the distinct tokens.
  void split_heads(std::size_t l) {
    streamed_heads_.clear();
    counted_heads_.clear();
    for (Index head = 0; head < model_.config_.heads; ++head) {
      const bool counted =
          skip_ && l == 0 && model_.config_.vocabulary < n_ && model_.attention_.countable(head);
      (counted ? counted_heads_ : streamed_heads_).push_back(head);
    }
  }

  void keys_and_values(const LayerOffsets& at) {
    parallel_for(tiles_of(n_), [&](Index tile) {
      if (stopped()) return;
      const Index first = tile * tile_rows, rows = std::min(tile_rows, n_ - first);
      const auto normed = reserve(local().normed, rows, d_);
      rmsnorm<Real>(stream_.middle_rows(first, rows), parameters_ + at.norm, normed,
                    reserve(local().inverse_rms, rows, 1).data);
      product<Real>(normed, weights(at.key_value, d_, 2 * d_), key_value_.middle_rows(first, rows));
      model_.position().rotate(store_.keys.middle_rows(first, rows), positions_.data() + first,
                               false);
    });
    if (skip_) model_.attention_.bound_keys(store_);
  }

  /// Keys and values of each token of the vocabulary, and how often each stands before the first
  /// row of every tile.
  void count_tokens(const LayerOffsets& at, std::span<const Index> places) {
    const Index vocabulary = model_.config_.vocabulary;
    AlignedVector<Real> normed_memory, inverse_rms;
    const auto normed = reserve(normed_memory, vocabulary, d_);
    rmsnorm<Real>(weights(model_.embedding_, vocabulary, d_), parameters_ + at.norm, normed,
                  reserve(inverse_rms, vocabulary, 1).data);
    product<Real>(normed, weights(at.key_value, d_, 2 * d_),
                  reserve(token_key_value_, vocabulary, 2 * d_));

    const Index tiles = tiles_of(static_cast<Index>(places.size()));
    const auto copies = reserve_zeros(copies_before_, tiles, vocabulary);
    Index place = 0;
    for (Index tile = 0; tile < tiles; ++tile) {
      Real* row = copies.row(tile);
      if (tile > 0) std::copy_n(copies.row(tile - 1), vocabulary, row);
      for (; place < places[static_cast<std::size_t>(tile * tile_rows)]; ++place)
        row[tokens_[static_cast<std::size_t>(place)]] += 1;
    }
  }

  /// tile_stream += Wo attention(norm(tile_stream)).
  void attend(const LayerOffsets& at, Index tile, std::span<const Index> places,
              MatrixView<Real> tile_stream) {
    Local<Real>& mine = local();
    const Index rows = tile_stream.rows;
    const Real* parameters = parameters_ + at.attention;
    const auto normed = reserve(mine.normed, rows, d_);
    rmsnorm<Real>(tile_stream, parameters_ + at.norm, normed,
                  reserve(mine.inverse_rms, rows, 1).data);
    const auto query = reserve(mine.query, rows, d_);
    product<Real>(normed, weights(at.query, d_, d_), query);
    if (model_.position().rotary()) {
      std::vector<Position> query_positions;
      for (const Index place : places)
        query_positions.push_back(positions_[static_cast<std::size_t>(place)]);
      model_.position().rotate(query, query_positions.data(), false);
    }
    model_.attention_.scale(parameters, normed, places.data(), query);

    const auto attended = reserve(mine.attended, rows, d_);
    if (!streamed_heads_.empty()) {
      if (!mine.attention_stream) mine.attention_stream = model_.attention_.stream();
      model_.attention_.attend(parameters, store_, query, places.data(), streamed_heads_, skip_,
                               *mine.attention_stream, attended, mine.scratch);
    }
    if (!counted_heads_.empty()) {
      const Index vocabulary = model_.config_.vocabulary;
      const MatrixView<const Real> table(token_key_value_.data(), vocabulary, 2 * d_);
      model_.attention_.attend_counted(parameters, table.middle_cols(0, d_),
                                       table.middle_cols(d_, d_), copies_seen(tile, places), query,
                                       counted_heads_, attended, mine.scratch);
    }
    product<Real>(attended, weights(at.output, d_, d_), tile_stream, Into::add);
  }

  /// How often each row of a tile sees each token: rows x vocabulary.
  MatrixView<const Real> copies_seen(Index tile, std::span<const Index> places) {
    const Index vocabulary = model_.config_.vocabulary;
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

  /// tile_stream += W2 gelu(W1 norm(tile_stream)).
  void feed_forward(const LayerOffsets& at, MatrixView<Real> tile_stream) {
    Local<Real>& mine = local();
    const Index rows = tile_stream.rows, ff = model_.config_.d_ff;
    const auto normed = reserve(mine.normed, rows, d_);
    rmsnorm<Real>(tile_stream, parameters_ + at.feed_norm, normed,
                  reserve(mine.inverse_rms, rows, 1).data);
    const auto hidden = reserve(mine.hidden, rows, ff);
    product<Real>(normed, weights(at.up, d_, ff), hidden);
    gelu(hidden.data, rows * ff, hidden.data);
    product<Real>(hidden, weights(at.down, ff, d_), tile_stream, Into::add);
  }

  const Transformer& model_;
  const Real* parameters_;
  std::span<const std::int32_t> tokens_;
  std::span<const Position> positions_;
  const StreamingOptions& options_;
  Index n_, d_;
  bool skip_;
  std::vector<Local<Real>> locals_;

  AlignedVector<Real> stream_memory_, key_value_memory_;
  MatrixView<Real> stream_, key_value_;
  KeyStore<Real> store_;
  std::vector<Index> streamed_heads_, counted_heads_;
  AlignedVector<Real> token_key_value_;  // vocabulary x 2 d_model
  AlignedVector<Real> copies_before_;    // tiles x vocabulary
};

template <class Real>
AlignedVector<Real> Transformer<Real>::stream_logits(std::span<const Real> parameters,
                                                     std::span<const std::int32_t> tokens,
                                                     std::span<const Position> positions,
                                                     std::span<const Index> answer_rows,
                                                     const StreamingOptions& options) const {
  return StreamingPass(*this, parameters.data(), tokens, positions, options).run(answer_rows);
}

template AlignedVector<float> Transformer<float>::stream_logits(std::span<const float>,
                                                                std::span<const std::int32_t>,
                                                                std::span<const Position>,
                                                                std::span<const Index>,
                                                                const StreamingOptions&) const;
template AlignedVector<double> Transformer<double>::stream_logits(std::span<const double>,
                                                                  std::span<const std::int32_t>,
                                                                  std::span<const Position>,
                                                                  std::span<const Index>,
                                                                  const StreamingOptions&) const;

}  // namespace attnspan
