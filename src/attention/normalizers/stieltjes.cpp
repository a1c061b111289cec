#include <algorithm>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/largest.hpp"

namespace attnspan {
namespace {

/// p_j = (lambda - z_j)^-q with lambda such that p sums to 1; windowed, p_j = [(lambda - z_j)^-q -
/// w^-q]_+, so that scores w or more below lambda have weight exactly 0.
template <class Real>
class Stieltjes final : public Normalizer<Real> {
 public:
  explicit Stieltjes(const Arguments& arguments)
      : q_(arguments.number("q")),
        base_(arguments.number("window") > 0 ? math::pow(arguments.number("window"), -q_) : 0) {}

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    weigh(scores, nullptr, count, weights);
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    const auto slope_at = [&](Index j) {  // of p_j by z_j, lambda held
      return weights[j] > 0 ? math::pow(static_cast<double>(weights[j]) + base_, 1 + 1 / q_) : 0.0;
    };
    double inner = 0, sum = 0;
    for (Index j = 0; j < count; ++j) {
      inner += slope_at(j) * static_cast<double>(dweights[j]);
      sum += slope_at(j);
    }
    for (Index j = 0; j < count; ++j)
      dweights[j] = weights[j] > 0
                        ? static_cast<Real>(q_ * slope_at(j) *
                                            (static_cast<double>(dweights[j]) - inner / sum))
                        : Real(0);
  }

  bool countable() const override { return true; }

  void counted(const Real*, const Real* scores, const Real* copies, Index count,
               Real* weights) const override {
    weigh(scores, copies, count, weights);
  }

 private:
  /// The sum of the weights falls in lambda and is convex, so that Newton from the left, where the
  /// largest score alone has weight 1, does not pass the root.
  void weigh(const Real* scores, const Real* copies, Index count, Real* weights) const {
    const Real largest =
        copies ? largest_present(scores, copies, count) : largest_of(scores, count);
    double above = math::pow(1 + base_, -1 / q_);  // lambda - largest
    const auto distance = [&](Index j) { return above + static_cast<double>(largest - scores[j]); };
    const auto copies_of = [&](Index j) { return copies ? static_cast<double>(copies[j]) : 1.0; };
    for (int step = 0; step < 200; ++step) {
      double sum = -1, slope = 0;
      for (Index j = 0; j < count; ++j) {
        if (copies_of(j) <= 0) continue;
        const double raised = math::pow(distance(j), -q_);
        if (!(raised > base_)) continue;
        sum += copies_of(j) * (raised - base_);
        slope += copies_of(j) * q_ * raised / distance(j);
      }
      const double next = above + sum / slope;
      if (!(next > above) || next - above <= 1e-15 * above) break;
      above = next;
    }
    for (Index j = 0; j < count; ++j)
      weights[j] =
          copies_of(j) > 0
              ? static_cast<Real>(copies_of(j) * std::max(0.0, math::pow(distance(j), -q_) - base_))
              : Real(0);
  }

  double q_, base_;  // base: w^-q, 0 without a window
};

}  // namespace

namespace normalizers {
NormalizerEntry stieltjes() {
  return NormalizerEntry::of<Stieltjes>(
      {.name = "stieltjes",
       .summary = "p = (lambda - z)^-q, heavier tails than softmax",
       .formula = "p_j = [(lambda - z_j)^-q - window^-q]_+, lambda such that p sums to 1",
       .source = "a public repository, without a paper",
       .parameters = {{.name = "q",
                       .help = "the larger, the nearer to the largest score alone",
                       .default_value = "2",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1,
                       .maximum = 16},
                      {.name = "window",
                       .help = "scores so far below lambda have weight 0; 0: none have",
                       .default_value = "0",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 0,
                       .maximum = 1e6}}});
}
}  // namespace normalizers
}  // namespace attnspan
