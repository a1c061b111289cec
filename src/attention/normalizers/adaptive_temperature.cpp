#include <algorithm>
#include <cstddef>
#include <memory>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/largest.hpp"

namespace attnspan {
namespace {

/// Softmax in training; at evaluation softmax(beta z), where beta is a polynomial, fitted by the
/// authors, in the entropy H of softmax(z): 1 up to H = 0.5, else max(1, -0.037 H^4 + 0.481 H^3 -
/// 2.3 H^2 + 4.917 H - 1.791), H in nats (Velickovic et al. 2024).
template <class Real>
class AdaptiveTemperature final : public Normalizer<Real> {
 public:
  AdaptiveTemperature() : evaluation_(new AdaptiveTemperature(nullptr)) {}

  const Normalizer<Real>& at_evaluation() const override {
    if (evaluation_) return *evaluation_;
    return *this;
  }

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    softmax(1, scores, count, weights);
    if (evaluation_) return;
    double entropy = 0;
    for (Index j = 0; j < count; ++j)
      if (weights[j] > 0)
        entropy -= static_cast<double>(weights[j]) * math::log(static_cast<double>(weights[j]));
    if (entropy <= 0.5) return;
    const double beta =
        (((-0.037 * entropy + 0.481) * entropy - 2.3) * entropy + 4.917) * entropy - 1.791;
    if (beta > 1) softmax(beta, scores, count, weights);
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    Real inner = 0;
    for (Index j = 0; j < count; ++j) inner += weights[j] * dweights[j];
    for (Index j = 0; j < count; ++j) dweights[j] = weights[j] * (dweights[j] - inner);
  }

 private:
  explicit AdaptiveTemperature(std::nullptr_t) {}  // that of evaluation

  static void softmax(double beta, const Real* scores, Index count, Real* weights) {
    const Real largest = largest_of(scores, count), sharp = static_cast<Real>(beta);
    double sum = 0;
    for (Index j = 0; j < count; ++j) {
      weights[j] = math::exp(sharp * (scores[j] - largest));
      sum += static_cast<double>(weights[j]);
    }
    for (Index j = 0; j < count; ++j)
      weights[j] = static_cast<Real>(static_cast<double>(weights[j]) / sum);
  }

  std::unique_ptr<AdaptiveTemperature> evaluation_;
};

}  // namespace

namespace normalizers {
NormalizerEntry adaptive_temperature() {
  return NormalizerEntry::of<AdaptiveTemperature>(
      {.name = "adaptive-temperature",
       .summary = "softmax, sharpened at evaluation where a row's entropy is high",
       .formula =
           "p = softmax(beta z), beta = 1 up to H = 0.5, else max(1, -0.037 H^4 + 0.481 H^3 - 2.3 "
           "H^2 + 4.917 H - 1.791), H the entropy of softmax(z) in nats; in training beta = 1",
       .source = "Velickovic et al. 2024, arXiv 2410.01104"});
}
}  // namespace normalizers
}  // namespace attnspan
