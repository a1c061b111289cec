#pragma once

#include <algorithm>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/largest.hpp"

namespace attnspan {

/// p_j = e^z_j / (e^extra + sum e^z): softmax with one key more, which has no value. Its score is
/// 0, or learned per head from there.
template <class Real, bool learned>
class ExtraSoftmax final : public Normalizer<Real> {
 public:
  Index parameters_per_head() const override { return learned ? 1 : 0; }

  void forward(const Real* parameters, const Real* scores, Index count, Real* weights,
               Real*) const override {
    weigh(extra(parameters), scores, nullptr, count, weights);
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real* dparameters) const override {
    Real inner = 0, sum = 0;
    for (Index j = 0; j < count; ++j) {
      inner += weights[j] * dweights[j];
      sum += weights[j];
    }
    for (Index j = 0; j < count; ++j) dweights[j] = weights[j] * (dweights[j] - inner);
    if (learned) dparameters[0] -= (1 - sum) * inner;
  }

  bool countable() const override { return true; }

  void counted(const Real* parameters, const Real* scores, const Real* copies, Index count,
               Real* weights) const override {
    weigh(extra(parameters), scores, copies, count, weights);
  }

 private:
  static Real extra(const Real* parameters) { return learned ? parameters[0] : Real(0); }

  static void weigh(Real extra, const Real* scores, const Real* copies, Index count,
                    Real* weights) {
    const Real largest = std::max(
        extra, copies ? largest_present(scores, copies, count) : largest_of(scores, count));
    double sum = math::exp(static_cast<double>(extra - largest));
    for (Index j = 0; j < count; ++j) {
      const Real copy = copies ? copies[j] : Real(1);
      weights[j] = copy > 0 ? copy * math::exp(scores[j] - largest) : Real(0);
      sum += static_cast<double>(weights[j]);
    }
    const auto share = static_cast<Real>(1 / sum);
    for (Index j = 0; j < count; ++j) weights[j] *= share;
  }
};

}  // namespace attnspan
