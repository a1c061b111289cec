#include <algorithm>
#include <numeric>

#include "attention/attention_streaming.hpp"
#include "core/parallel.hpp"
#include "model/transformer.hpp"
#include "ops/product.hpp"
#include "ops/rmsnorm.hpp"
#include "ops/room.hpp"

namespace attnspan {

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
        stop_(options.stop),
        // Bounds pay from a few blocks of keys on.
        attention_(positions,
                   options.skip && static_cast<Index>(tokens.size()) > 2 * KeyStore<Real>::block,
                   options.stop),
        feed_forward_(static_cast<std::size_t>(threads())) {}

  /// Logits at the answer rows, or nothing when stopped.
  AlignedVector<Real> run(std::span<const Index> answer_rows) {
    const auto rows = static_cast<Index>(tokens_.size());
    const Index d = model_.config_.d_model;
    Room<Real> stream_memory;
    AlignedVector<Real> answer_memory;
    const auto stream = reserve(stream_memory, rows, d);
    parallel_for((rows + embedded_rows - 1) / embedded_rows, [&](Index part) {
      const Index first = part * embedded_rows, count = std::min(embedded_rows, rows - first);
      const auto at = static_cast<std::size_t>(first), size = static_cast<std::size_t>(count);
      model_.embed(parameters_, tokens_.subspan(at, size), positions_.subspan(at, size),
                   stream.middle_rows(first, count));
    });
    std::vector<Index> all_rows(tokens_.size());
    std::iota(all_rows.begin(), all_rows.end(), Index{0});
    const std::size_t last = model_.layers_.size() - 1;
    for (std::size_t l = 0; l < last; ++l) layer(l, stream, all_rows, stream);

    // The last layer works out the answer rows alone; they leave the stream.
    const auto answers = static_cast<Index>(answer_rows.size());
    const auto answer_stream = reserve(answer_memory, answers, d);
    if (stopped()) return {};
    for (Index i = 0; i < answers; ++i)
      std::copy_n(stream.row(answer_rows[static_cast<std::size_t>(i)]), d, answer_stream.row(i));
    layer(last, stream, answer_rows, answer_stream);
    if (stopped()) return {};
    return logits(answer_stream);
  }

 private:
  static constexpr Index embedded_rows = 4096;  // at one time

  bool stopped() const { return stop_ && stop_->load(std::memory_order_relaxed); }

  /// Adds a layer over the whole stream to `target`, whose rows stand at `places` of it.
  void layer(std::size_t l, MatrixView<Real> stream, std::span<const Index> places,
             MatrixView<Real> target) {
    const Layer& at = model_.layers_[l];
    if (!options_.shown.empty()) show(l, stream);
    // In the first layer the stream is the embedding, unless positions are added to it.
    const EmbeddedTokens<Real> embedded{
        tokens_, model_.matrix(parameters_, model_.embedding_, model_.config_.vocabulary,
                               model_.config_.d_model)};
    attention_.open(at.attention, parameters_ + at.attention_offset, stream, places,
                    l == 0 && !model_.embedded_position().embeds() ? &embedded : nullptr);
    const Index tiles = streaming_tiles(target.rows), at_once = attention_.tiles_at_once();
    for (Index begin = 0; begin < tiles; begin += at_once) {
      const Index count = std::min(at_once, tiles - begin);
      attention_.select(begin, count);
      parallel_for(count, [&](Index i) {
        if (stopped()) return;
        const Index tile = begin + i, first = tile * streaming_rows;
        const auto tile_stream =
            target.middle_rows(first, std::min(streaming_rows, target.rows - first));
        attention_.add(tile, tile_stream);
        at.feed_forward.forward(parameters_ + at.feed_forward_offset, tile_stream, tile_stream,
                                feed_forward_[static_cast<std::size_t>(thread_number())]);
      });
    }
  }

  /// Shows what heads do with the stream as it enters a layer.
  void show(std::size_t l, MatrixView<Real> stream) const {
    const Layer& at = model_.layers_[l];
    AttentionStreaming<Real> attention(positions_, false, stop_);
    attention.open(at.attention, parameters_ + at.attention_offset, stream, {}, nullptr);
    for (const Index place : options_.shown) {
      if (stopped()) return;
      attention.show(place, stream.middle_rows(place, 1), [&](const AttentionRow<Real>& row) {
        options_.show(static_cast<Index>(l), row);
      });
    }
  }

  AlignedVector<Real> logits(MatrixView<Real> rows) const {
    const Index vocabulary = model_.config_.vocabulary, d = model_.config_.d_model;
    AlignedVector<Real> normed_memory, inverse_rms, logits;
    const auto normed = reserve(normed_memory, rows.rows, d);
    rmsnorm<Real>(rows, parameters_ + model_.norm_, normed,
                  reserve(inverse_rms, rows.rows, 1).data);
    product<Real>(normed, model_.matrix(parameters_, model_.output_, d, vocabulary),
                  reserve(logits, rows.rows, vocabulary));
    return logits;
  }

  const Transformer& model_;
  const Real* parameters_;
  std::span<const std::int32_t> tokens_;
  std::span<const Position> positions_;
  const StreamingOptions& options_;
  const std::atomic<bool>* stop_;
  AttentionStreaming<Real> attention_;
  std::vector<FeedForwardTrace<Real>> feed_forward_;
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
