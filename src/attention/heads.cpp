#include "attention/heads.hpp"

#include <algorithm>
#include <cmath>

#include "attention/variant.hpp"

namespace attnspan {
namespace {

/// Each head's part of each row at length 1.
template <class Real>
void to_unit_length(ConstMatrixView<Real> from, Index heads, MatrixView<Real> to) {
  const Index d = from.cols / heads;
  constexpr Real least = Real(1e-12);  // of the square: no vector has no direction
  for (Index i = 0; i < from.rows; ++i)
    for (Index column = 0; column < from.cols; column += d) {
      const Real* vector = from.row(i) + column;
      Real squares = least;
      for (Index j = 0; j < d; ++j) squares += vector[j] * vector[j];
      const Real shorten = 1 / std::sqrt(squares);
      for (Index j = 0; j < d; ++j) to.row(i)[column + j] = vector[j] * shorten;
    }
}

/// A scaler that scales nothing in training.
template <class Real>
class EvaluationScaler final : public Scaler<Real> {
 public:
  explicit EvaluationScaler(std::unique_ptr<Scaler<Real>> scaler) : scaler_(std::move(scaler)) {}

  std::vector<TensorSpec> tensors(Index heads, Index d_model) const override {
    return scaler_->tensors(heads, d_model);
  }
  bool identity() const override { return true; }
  const Scaler<Real>& at_evaluation() const override { return scaler_->at_evaluation(); }
  void forward(const Real*, ConstMatrixView<Real>, const Index*, MatrixView<Real> s,
               MatrixView<Real>) const override {
    for (Index i = 0; i < s.rows; ++i) std::fill_n(s.row(i), s.cols, Real(1));
  }
  void backward(const Real*, ConstMatrixView<Real>, const Index*, ConstMatrixView<Real>,
                ConstMatrixView<Real>, MatrixView<Real>, Real*) const override {}

 private:
  std::unique_ptr<Scaler<Real>> scaler_;
};

}  // namespace

template <class Real>
AttentionParts<Real> make_parts(const LayerShape& shape, const std::string& variant,
                                const std::string& position) {
  const AttentionVariant chosen = attention_variant(variant);
  const Choice<PositionEntry> encoding = position_choice(position);
  AttentionParts<Real> parts{chosen.scaler.make<Real>(shape), chosen.normalizer.make<Real>(shape),
                             encoding.make<Real>(shape), scaled_heads(encoding)};
  if (!chosen.scaled_in_training)
    parts.scaler = std::make_unique<EvaluationScaler<Real>>(std::move(parts.scaler));
  if (parts.normalizer->unit_vectors() && chosen.scaler.entry->name != "none")
    throw InputError("attention " + chosen.normalizer.entry->name +
                     " compares directions and has a length rule of its own; use it without a "
                     "scaler, not with " +
                     chosen.scaler.label() + ".");
  if (parts.normalizer->unit_vectors() && parts.position->width() > shape.d_head)
    throw InputError("attention " + chosen.normalizer.entry->name +
                     " compares directions, which position " + encoding.label() +
                     " does not keep; use another encoding.");
  if (parts.normalizer->unit_vectors() && parts.position->carried() > 0)
    throw InputError("attention " + chosen.normalizer.entry->name +
                     " compares directions, and position " + encoding.label() +
                     " adds products with queries of any length; use another encoding.");
  if (parts.normalizer->selective() && encoding.entry->name == "hard-alibi" &&
      parts.position->biased(0))
    throw InputError("attention " + chosen.normalizer.entry->name +
                     " selects by the first head, which under position " + encoding.label() +
                     " sees no token but its own; use another encoding.");
  if (parts.normalizer->positional() && encoding.entry->name != "nope")
    throw InputError("attention " + chosen.normalizer.entry->name +
                     " tells positions apart by itself; use it with position nope, not " +
                     encoding.label() + ".");
  return parts;
}

template <class Real>
Heads<Real>::Heads(const LayerShape& shape, AttentionParts<Real> parts)
    : shape_(shape),
      scaler_(std::move(parts.scaler)),
      normalizer_(std::move(parts.normalizer)),
      position_(std::move(parts.position)) {
  if (!scaler_->identity() || !scaler_->at_evaluation().identity())
    for (Index head = 0; head < shape.heads; ++head)
      if (parts.scaled == ScaledHeads::all || !position_->biased(head)) scaled_.push_back(head);

  const auto add = [&](const std::string& owner, const std::vector<TensorSpec>& specs) {
    Index size = 0;
    for (TensorSpec spec : specs) {
      spec.name = owner + "." + spec.name;
      size += spec.size();
      tensors_.push_back(std::move(spec));
    }
    return size;
  };
  if (!scaled_.empty())
    normalizer_offset_ =
        add("scaler", scaler_->tensors(static_cast<Index>(scaled_.size()), shape.d_model()));
  position_offset_ = normalizer_offset_;
  // A head may see one key alone, or none that counts, and then has nothing to normalise.
  for (Index head = 0; head < shape.heads; ++head)
    for (Index index = 0; index < normalizer_->parameters_per_head(); ++index)
      position_offset_ +=
          add("normalizer", {{"head" + std::to_string(head) + "." + std::to_string(index), 1, 1,
                              normalizer_->initial_parameter(index), 0, false, true}});
  add("position", position_->tensors());
}

template <class Real>
Real Heads<Real>::unit() const {
  return normalizer_->unit_vectors() ? Real(1) : 1 / std::sqrt(static_cast<Real>(shape_.d_head));
}

template <class Real>
MatrixView<const Real> Heads<Real>::prepare(const Real* parameters, Phase phase, Role role,
                                            const Position* positions, ConstMatrixView<Real> from,
                                            AlignedVector<Real>& unit,
                                            AlignedVector<Real>& turned) const {
  MatrixView<const Real> prepared = from;
  if (normalizer_->unit_vectors()) {
    const auto shortened = reserve(unit, from.rows, from.cols);
    to_unit_length<Real>(from, vectors(), shortened);
    prepared = shortened;
  }
  if (position_->width() > 0) {
    const auto to = reserve(turned, from.rows, total_width());
    const Index from_view = shape_.width(), to_view = shape_.heads * width();
    for (Index view = 0; view < views(); ++view)
      position(phase).turn(parameters + position_offset_, role, positions,
                           prepared.middle_cols(view * from_view, from_view),
                           to.middle_cols(view * to_view, to_view));
    prepared = to;
  }
  return prepared;
}

template <class Real>
void Heads<Real>::scale(const Real* parameters, Phase phase, ConstMatrixView<Real> x,
                        const Index* places, ConstMatrixView<Real> prepared,
                        MatrixView<Real> scales, MatrixView<Real> state,
                        MatrixView<Real> scaled) const {
  const Real factor = unit();
  for (Index i = 0; i < prepared.rows; ++i)
#pragma omp simd
    for (Index j = 0; j < prepared.cols; ++j) scaled.row(i)[j] = prepared.row(i)[j] * factor;
  if (scaled_.empty()) return;
  scaler(phase).forward(parameters, x, places, scales, state);
  for (Index i = 0; i < prepared.rows; ++i)
    for (std::size_t h = 0; h < scaled_.size(); ++h) {
      Real* query = scaled.row(i) + scaled_[h] * width();
      const Real factor_of_head = scales.row(i)[static_cast<Index>(h)];
      for (Index j = 0; j < width(); ++j) query[j] *= factor_of_head;
    }
}

template AttentionParts<float> make_parts(const LayerShape&, const std::string&,
                                          const std::string&);
template AttentionParts<double> make_parts(const LayerShape&, const std::string&,
                                           const std::string&);
template class Heads<float>;
template class Heads<double>;

}  // namespace attnspan
