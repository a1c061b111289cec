#include <algorithm>
#include <cmath>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/largest.hpp"

namespace attnspan {
namespace {

/// p_j = relu(e^z_j - 1) / (sum |e^z - 1| + epsilon): keys that score below 0 get nothing, and rows
/// need not sum to 1 (Zuhri, Fuadi and Aji 2025). A far key counts as nearly 1 in the denominator;
/// a hidden one not at all.
template <class Real>
class Softpick final : public Normalizer<Real> {
 public:
  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    const Scale scale = scale_of(scores, count);
    for (Index j = 0; j < count; ++j)
      weights[j] = scores[j] > 0 ? static_cast<Real>(scale.above(scores[j]) / scale.sum) : Real(0);
  }

  void backward(const Real*, const Real* scores, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    const Scale scale = scale_of(scores, count);
    double inner = 0;
    for (Index j = 0; j < count; ++j)
      inner += static_cast<double>(weights[j]) * static_cast<double>(dweights[j]);
    for (Index j = 0; j < count; ++j) {
      const double raised = math::exp(static_cast<double>(scores[j]) - scale.largest) / scale.sum;
      dweights[j] = static_cast<Real>(
          raised * (scores[j] > 0 ? static_cast<double>(dweights[j]) - inner : inner));
    }
  }

 private:
  static constexpr double epsilon = 1e-6;

  /// All numbers of a row times e^-largest.
  struct Scale {
    double largest, one, sum;
    double above(Real score) const { return math::exp(static_cast<double>(score) - largest) - one; }
  };
  static Scale scale_of(const Real* scores, Index count) {
    Scale scale{std::max(0.0, static_cast<double>(largest_of(scores, count))), 0, 0};
    scale.one = math::exp(-scale.largest);
    scale.sum = epsilon * scale.one;
    for (Index j = 0; j < count; ++j)
      if (!std::isinf(scores[j])) scale.sum += std::abs(scale.above(scores[j]));
    return scale;
  }
};

}  // namespace

namespace normalizers {
NormalizerEntry softpick() {
  return NormalizerEntry::of<Softpick>(
      {.name = "softpick",
       .summary = "p = relu(exp(z) - 1) / sum |exp(z) - 1|",
       .formula = "p_j = [exp(z_j) - 1]_+ / (sum |exp(z) - 1| + 1e-6)",
       .source = "Zuhri, Fuadi and Aji 2025, arXiv 2504.20966"});
}
}  // namespace normalizers
}  // namespace attnspan
