#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attention/normalizer.hpp"
#include "attention/scaler.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {

/// Some parts act differently once training is over.
enum class Phase { training, evaluation };

/// What makes an attention, whether or not it comes from a catalog.
template <class Real>
struct AttentionParts {
  std::unique_ptr<Scaler<Real>> scaler;
  std::unique_ptr<Normalizer<Real>> normalizer;
  std::unique_ptr<PositionEncoding<Real>> position;
  ScaledHeads scaled = ScaledHeads::all;
};

/// The parts that these names stand for; throws InputError on unknown ones.
template <class Real>
AttentionParts<Real> make_parts(const LayerShape& shape, const std::string& variant,
                                const std::string& position);

/// The heads of one layer: z_ij = (s_i q_i) . k_j / sqrt(d_head) + bias_ij over the keys before and
/// at each row, weights = normalizer(z_i), output_i = sum_j weights_ij v_j. This is what the two
/// ways of working them out, HeadTraining and HeadStreaming, have in common; none of them knows of
/// particular scalers, normalizers or encodings. Immutable and thread-safe.
template <class Real>
class Heads {
 public:
  Heads(const LayerShape& shape, AttentionParts<Real> parts);

  /// Learned tensors of scaler, normalizer and encoding, in the order of `parameters` pointers.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }

  const LayerShape& shape() const { return shape_; }
  const PositionEncoding<Real>& position(Phase phase = Phase::training) const {
    return phase == Phase::training ? *position_ : position_->at_evaluation();
  }
  const Normalizer<Real>& normalizer(Phase phase) const {
    return phase == Phase::training ? *normalizer_ : normalizer_->at_evaluation();
  }
  const Scaler<Real>& scaler(Phase phase) const {
    return phase == Phase::training ? *scaler_ : scaler_->at_evaluation();
  }

  /// Where the learned numbers of a head's normalizer and those of the encoding begin.
  Index normalizer_offset(Index head) const {
    return normalizer_offset_ + head * normalizer_->parameters_per_head();
  }
  Index position_offset() const { return position_offset_; }

  /// Whether neither the normalizer nor the encoding has learned numbers.
  bool learns_nothing() const {
    return normalizer_->parameters_per_head() == 0 && position_->tensors().empty();
  }

  /// Those that a scaler scales.
  const std::vector<Index>& scaled() const { return scaled_; }

  /// Numbers of a head's query and key as they enter the scores.
  Index width() const { return position_->width() > 0 ? position_->width() : shape_.d_head; }

  /// Queries and keys of a head, one for each view of the normalizer; those of the first view of
  /// all heads come first.
  Index views() const { return normalizer_->views(); }
  Index vectors() const { return views() * shape_.heads; }
  Index total_width() const { return vectors() * width(); }

  /// What products of queries and keys are multiplied by: 1/sqrt(d_head), or 1 where both have
  /// length 1.
  Real unit() const;

  /// Queries or keys (rows x (vectors d_head)) at length 1 where the normalizer asks for it, and
  /// turned by their positions; the result lies in `unit` or `turned`, or is `from` where neither
  /// is done.
  MatrixView<const Real> prepare(const Real* parameters, Phase phase, Role role,
                                 const Position* positions, ConstMatrixView<Real> from,
                                 AlignedVector<Real>& unit, AlignedVector<Real>& turned) const;

  /// Writes prepared queries times s / sqrt(d_head), and to scales (rows x scaled heads) s. x: rows
  /// x d_model, the layer's normed input. state: what the scaler keeps, as Scaler::forward has it.
  void scale(const Real* parameters, Phase phase, ConstMatrixView<Real> x, const Index* places,
             ConstMatrixView<Real> prepared, MatrixView<Real> scales, MatrixView<Real> state,
             MatrixView<Real> scaled) const;

 private:
  LayerShape shape_;
  std::unique_ptr<Scaler<Real>> scaler_;
  std::unique_ptr<Normalizer<Real>> normalizer_;
  std::unique_ptr<PositionEncoding<Real>> position_;
  std::vector<Index> scaled_;
  std::vector<TensorSpec> tensors_;
  Index normalizer_offset_ = 0;  // into the parameters, after the scaler's
  Index position_offset_ = 0;    // after the normalizer's
};

}  // namespace attnspan
