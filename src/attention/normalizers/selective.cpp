#include "attention/normalizer.hpp"

namespace attnspan {
namespace normalizers {
NormalizerEntry softmax();
}

namespace {

/// Softmax of what earlier rows have left of the scores (Leviathan, Kalman and Matias 2024). The
/// scores that select are the first head's as they enter its softmax, with scale and bias.
template <class Real>
class Selective final : public Normalizer<Real> {
 public:
  Selective(const Arguments& arguments, const LayerShape& shape)
      : softmax_(normalizers::softmax().template make<Real>(arguments, shape)) {}

  bool selective() const override { return true; }

  Index state_size() const override { return softmax_->state_size(); }

  void forward(const Real* parameters, const Real* scores, Index count, Real* weights,
               Real* state) const override {
    softmax_->forward(parameters, scores, count, weights, state);
  }

  void rebuild(const Real* parameters, const Real* scores, Index count, const Real* state,
               Real* weights) const override {
    softmax_->rebuild(parameters, scores, count, state, weights);
  }

  void backward(const Real* parameters, const Real* scores, const Real* weights, Index count,
                Real* dweights, Real* dparameters) const override {
    softmax_->backward(parameters, scores, weights, count, dweights, dparameters);
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return softmax_->stream(d_head);
  }

 private:
  std::unique_ptr<Normalizer<Real>> softmax_;
};

}  // namespace

namespace normalizers {
NormalizerEntry selective() {
  return NormalizerEntry::of<Selective>(
      {.name = "selective",
       .summary = "softmax without what tokens before have selected out, by the first head",
       .formula = "softmax over j of z_ij - F_ij, F_ij = sum over j < m < i of [z_mj of head 0]_+, "
                  "for every head; F_i0 = 0",
       .source = "Leviathan, Kalman and Matias 2024, arXiv 2410.02703"});
}
}  // namespace normalizers
}  // namespace attnspan
