#include "model/transformer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "model/by_layer.hpp"
#include "ops/cross_entropy.hpp"
#include "ops/product.hpp"
#include "ops/rmsnorm.hpp"

namespace attnspan {
namespace {

ModelConfig checked(const ModelConfig& config) {
  check(config);
  return config;
}

Surroundings surroundings(const ModelConfig& config) {
  using enum Surroundings::Gate;
  return {config.query_key_norm, config.output_norm,
          config.output_gate == "head" ? head : (config.output_gate == "element" ? element : none)};
}

/// after = before + mask (after - before), with the rows of `before` named by `rows` where given.
template <class Real>
void drop(ConstMatrixView<Real> before, const std::vector<Index>* rows, ConstMatrixView<Real> mask,
          MatrixView<Real> after) {
  for (Index i = 0; i < after.rows; ++i) {
    const Real* start = before.row(rows ? (*rows)[static_cast<std::size_t>(i)] : i);
    for (Index j = 0; j < after.cols; ++j)
      after.row(i)[j] = start[j] + mask.row(i)[j] * (after.row(i)[j] - start[j]);
  }
}

/// The gradient of `after` becomes that of what was added, and `kept` what goes past it.
template <class Real>
void drop_backward(ConstMatrixView<Real> mask, MatrixView<Real> dafter, MatrixView<Real> kept) {
  for (Index i = 0; i < dafter.rows; ++i)
    for (Index j = 0; j < dafter.cols; ++j) {
      kept.row(i)[j] = (1 - mask.row(i)[j]) * dafter.row(i)[j];
      dafter.row(i)[j] *= mask.row(i)[j];
    }
}

/// dbefore, of which the layer's backward pass took the masked gradient to go past it too, gets the
/// rest.
template <class Real>
void add_kept(ConstMatrixView<Real> kept, const std::vector<Index>* rows,
              MatrixView<Real> dbefore) {
  for (Index i = 0; i < kept.rows; ++i) {
    Real* target = dbefore.row(rows ? (*rows)[static_cast<std::size_t>(i)] : i);
    for (Index j = 0; j < kept.cols; ++j) target[j] += kept.row(i)[j];
  }
}

}  // namespace

template <class Real>
Transformer<Real>::Transformer(const ModelConfig& config)
    : config_(checked(config)),
      positions_(model_positions(config)),
      longest_sequence_(longest_sequence(config)) {
  const Index d = config.d_model, vocabulary = config.vocabulary;
  const LayerShape shape = layer_shape(config);
  const auto attentions = by_layer("attention", config.attention, config.layers);
  const auto positions = positions_by_layer(config);

  // Small embeddings learn faster: the norm rescales them, so the same step turns them further.
  embedding_ = place({"embedding", vocabulary, d, 0, 0.02});
  for (std::size_t l = 0; l < attentions.size(); ++l) {
    const std::string owner = "layer" + std::to_string(l) + ".";
    layers_.push_back(
        {Attention<Real>(shape, config.layers, make_parts<Real>(shape, attentions[l], positions[l]),
                         surroundings(config)),
         FeedForward<Real>(d, config.d_ff, config.layers, config.feed_forward == "swiglu")});
    Layer& layer = layers_.back();
    if (l == 0)
      embedded_position_ =
          place_all("embedding.position.", embedded_position().embedding_tensors());
    layer.attention_offset = place_all(owner + "attention.", layer.attention.tensors());
    layer.feed_forward_offset = place_all(owner + "feed_forward.", layer.feed_forward.tensors());
  }
  norm_ = place({"norm", 1, d, 1, 0});
  output_ = place({"output", d, vocabulary, 0, 1 / std::sqrt(static_cast<double>(d)), true});
}

template <class Real>
Index Transformer<Real>::place(TensorSpec spec) {
  const Index offset = parameter_count_;
  parameter_count_ += spec.size();
  tensors_.push_back({std::move(spec), offset});
  return offset;
}

template <class Real>
Index Transformer<Real>::place_all(const std::string& owner, const std::vector<TensorSpec>& specs) {
  const Index offset = parameter_count_;
  for (TensorSpec spec : specs) {
    spec.name = owner + spec.name;
    place(std::move(spec));
  }
  return offset;
}

template <class Real>
AlignedVector<Real> Transformer<Real>::initial_parameters(std::uint64_t seed, int replicate) const {
  AlignedVector<Real> parameters(static_cast<std::size_t>(parameter_count_));
  for (const auto& [spec, offset] : tensors_) {
    // By name, so that variants start equal wherever they have the same tensors.
    Rng rng(seed, Stream::initialization, name_hash(spec.name),
            static_cast<std::uint64_t>(replicate));
    for (Index i = 0; i < spec.size(); ++i)
      parameters[static_cast<std::size_t>(offset + i)] =
          static_cast<Real>(spec.mean + (spec.deviation > 0 ? spec.deviation * rng.normal() : 0.0));
  }
  return parameters;
}

template <class Real>
Packing Transformer<Real>::packing(const PackedBatch& batch, bool answers_only) const {
  Packing packing;
  packing.key_begin = batch.begin;
  if (answers_only) {
    packing.query_begin = batch.answer_begin;
    packing.query_rows = batch.answer_rows;
  } else {
    packing.query_begin = batch.begin;
    packing.query_rows.resize(batch.tokens.size());
    std::iota(packing.query_rows.begin(), packing.query_rows.end(), Index{0});
  }
  packing.positions = batch.positions.data();
  for (const Index row : packing.query_rows)
    packing.query_positions.push_back(batch.positions[static_cast<std::size_t>(row)]);
  packing.places.resize(packing.query_rows.size());
  for (Index s = 0; s < packing.sequences(); ++s) {
    const auto at = static_cast<std::size_t>(s);
    for (Index i = packing.query_begin[at]; i < packing.query_begin[at + 1]; ++i)
      packing.places[static_cast<std::size_t>(i)] =
          packing.query_rows[static_cast<std::size_t>(i)] - batch.begin[at];
  }
  return packing;
}

/// 0 with the probability of dropout, else 1 over that of being kept: rows x d_model, rows of
/// sequence s from begin[s] on.
template <class Real>
MatrixView<Real> Transformer<Real>::draw_mask(const std::vector<Index>& begin,
                                              std::vector<Rng>& noise,
                                              AlignedVector<Real>& memory) const {
  const auto mask = reserve(memory, begin.back(), config_.d_model);
  const auto limit = static_cast<std::uint32_t>(config_.dropout * 0x1p32);
  const auto kept = static_cast<Real>(1 / (1 - config_.dropout));
  for (std::size_t s = 0; s + 1 < begin.size(); ++s)
    for (Index i = begin[s]; i < begin[s + 1]; ++i)
      for (Index j = 0; j < mask.cols; ++j)
        mask.row(i)[j] = noise[s].next() < limit ? Real(0) : kept;
  return mask;
}

template <class Real>
void Transformer<Real>::embed(const Real* parameters, std::span<const std::int32_t> tokens,
                              std::span<const Position> positions, MatrixView<Real> stream) const {
  for (const Position position : positions)
    if (position >= longest_sequence_)
      throw InputError("position " + config_.position + " knows " +
                       std::to_string(longest_sequence_) + " positions, but a sequence has " +
                       std::to_string(position + 1) + " tokens.");
  for (Index i = 0; i < stream.rows; ++i)
    std::copy_n(parameters + embedding_ + tokens[static_cast<std::size_t>(i)] * config_.d_model,
                config_.d_model, stream.row(i));
  if (embedded_position().embeds())
    embedded_position().embed(parameters + embedded_position_, positions.data(), stream);
}

template <class Real>
void Transformer<Real>::embed_backward(const PackedBatch& batch, ConstMatrixView<Real> dstream,
                                       Real* dparameters) const {
  if (embedded_position().embeds())
    embedded_position().embed_backward(batch.positions.data(), dstream,
                                       dparameters + embedded_position_);
  for (Index i = 0; i < dstream.rows; ++i) {
    Real* row =
        dparameters + embedding_ + batch.tokens[static_cast<std::size_t>(i)] * config_.d_model;
#pragma omp simd
    for (Index j = 0; j < dstream.cols; ++j) row[j] += dstream.row(i)[j];
  }
}

template <class Real>
void Transformer<Real>::forward(const Real* parameters, Phase phase, const PackedBatch& batch,
                                Workspace<Real>& workspace) const {
  const Index d = config_.d_model, rows = batch.rows();
  workspace.layers.resize(layers_.size());
  const auto embedded = reserve(workspace.layers[0].input, rows, d);
  embed(parameters, batch.tokens, batch.positions, embedded);
  const bool drops = this->drops(phase);
  if (drops) {
    workspace.noise = batch.noise;
    const auto mask = draw_mask(batch.begin, workspace.noise, workspace.embedding_mask);
    for (Index j = 0; j < rows * d; ++j) embedded.data[j] *= mask.data[j];
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    auto& kept = workspace.layers[l];
    const Packing packed = packing(batch, last(l));
    const auto middle = reserve(kept.middle, packed.queries(), d);
    layer.attention.forward(parameters + layer.attention_offset, phase, packed,
                            {kept.input.data(), rows, d}, middle, kept.attention);
    if (drops)
      drop<Real>({kept.input.data(), rows, d}, &packed.query_rows,
                 draw_mask(packed.query_begin, workspace.noise, kept.attention_mask), middle);
    auto& memory = last(l) ? workspace.output : workspace.layers[l + 1].input;
    const auto output = reserve(memory, packed.queries(), d);
    layer.feed_forward.forward(parameters + layer.feed_forward_offset, middle, output,
                               kept.feed_forward);
    if (drops)
      drop<Real>(middle, nullptr,
                 draw_mask(packed.query_begin, workspace.noise, kept.feed_forward_mask), output);
  }
  const Index answers = static_cast<Index>(batch.answer_rows.size());
  const auto output_normed = reserve(workspace.output_normed, answers, d);
  rmsnorm<Real>({workspace.output.data(), answers, d}, parameters + norm_, output_normed,
                reserve(workspace.output_inverse_rms, answers, 1).data);
  product<Real>(output_normed, matrix(parameters, output_, d, config_.vocabulary),
                reserve(workspace.logits, answers, config_.vocabulary));
}

template <class Real>
void Transformer<Real>::backward(const Real* parameters, const PackedBatch& batch,
                                 Workspace<Real>& workspace, Real* dparameters) const {
  const Index d = config_.d_model, rows = batch.rows(), vocabulary = config_.vocabulary;
  const Index answers = static_cast<Index>(batch.answer_rows.size());

  // The logits now hold their own gradient.
  const MatrixView<const Real> dlogits(workspace.logits.data(), answers, vocabulary);
  product_at<Real>({workspace.output_normed.data(), answers, d}, dlogits,
                   {dparameters + output_, d, vocabulary}, Into::add);
  auto dstream = reserve_zeros(workspace.dstream, answers, d);
  const auto dnormed = reserve(workspace.dnormed, answers, d);
  product_bt<Real>(dlogits, matrix(parameters, output_, d, vocabulary), dnormed);
  rmsnorm_backward<Real>({workspace.output.data(), answers, d}, parameters + norm_,
                         workspace.output_inverse_rms.data(), dnormed, dstream,
                         dparameters + norm_);

  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    auto& kept = workspace.layers[l];
    const Packing packed = packing(batch, last(l));
    const bool drops = this->drops(Phase::training);
    const auto past = reserve(workspace.dkept, drops ? packed.queries() : 0, d);
    if (drops)
      drop_backward<Real>({kept.feed_forward_mask.data(), packed.queries(), d}, dstream, past);
    layer.feed_forward.backward(parameters + layer.feed_forward_offset,
                                {kept.middle.data(), packed.queries(), d}, kept.feed_forward,
                                dstream, dparameters + layer.feed_forward_offset,
                                workspace.feed_forward);
    if (drops) {
      add_kept<Real>(past, nullptr, dstream);
      drop_backward<Real>({kept.attention_mask.data(), packed.queries(), d}, dstream, past);
    }
    const auto dinput = last(l) ? reserve(workspace.dspread, rows, d) : dstream;
    layer.attention.backward(parameters + layer.attention_offset, packed,
                             {kept.input.data(), rows, d}, kept.attention, dstream, dinput,
                             dparameters + layer.attention_offset, workspace.attention);
    if (drops) add_kept<Real>(past, &packed.query_rows, dinput);
    dstream = dinput;
  }
  if (drops(Phase::training))
    for (Index j = 0; j < rows * d; ++j)
      dstream.data[j] *= workspace.embedding_mask[static_cast<std::size_t>(j)];
  embed_backward(batch, dstream, dparameters);
}

template <class Real>
double Transformer<Real>::loss_and_gradient(std::span<const Real> parameters,
                                            const PackedBatch& batch, Workspace<Real>& workspace,
                                            std::span<Real> dparameters) const {
  forward(parameters.data(), Phase::training, batch, workspace);
  const double loss = cross_entropy<Real>(
      {workspace.logits.data(), static_cast<Index>(batch.answer_rows.size()), config_.vocabulary},
      batch.targets.data());
  backward(parameters.data(), batch, workspace, dparameters.data());
  return loss;
}

template <class Real>
AlignedVector<Real> Transformer<Real>::logits(std::span<const Real> parameters,
                                              const PackedBatch& batch, Phase phase) const {
  Workspace<Real> workspace;
  forward(parameters.data(), phase, batch, workspace);
  return std::move(workspace.logits);
}

template class Transformer<float>;
template class Transformer<double>;

}  // namespace attnspan
