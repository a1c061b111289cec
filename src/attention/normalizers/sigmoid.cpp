#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

/// p_j = s(z_j - log n), n the number of keys up to the row's own, hidden or not, or a fixed one;
/// not normalised, so that no key changes another's weight (Ramapuram et al. 2024).
template <class Real>
class Sigmoid final : public Normalizer<Real> {
 public:
  Sigmoid(const Arguments& arguments, const LayerShape& shape)
      : length_(arguments.text("length") == "train" ? static_cast<double>(shape.train_tokens)
                                                    : arguments.number("length")) {}

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    const Real shift =
        math::log(length_ > 0 ? static_cast<Real>(length_) : static_cast<Real>(count));
    for (Index j = 0; j < count; ++j) weights[j] = 1 / (1 + math::exp(shift - scores[j]));
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    for (Index j = 0; j < count; ++j) dweights[j] *= weights[j] * (1 - weights[j]);
  }

 private:
  double length_;
};

}  // namespace

namespace normalizers {
NormalizerEntry sigmoid() {
  return NormalizerEntry::of<Sigmoid>(
      {.name = "sigmoid",
       .summary = "p = sigmoid(z - log n), each key for itself",
       .formula = "p_j = 1 / (1 + exp(log n - z_j))",
       .source = "Ramapuram et al. 2024, arXiv 2409.04431",
       .parameters = {{.name = "length",
                       .help = "n; train: the training length; 0: each row's place, keys that a "
                               "window hides counted",
                       .default_value = "0",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 0,
                       .maximum = 1e9,
                       .choices = {"train"}}}});
}
}  // namespace normalizers
}  // namespace attnspan
