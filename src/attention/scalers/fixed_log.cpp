#include "attention/log_length.hpp"
#include "attention/scaler.hpp"

namespace attnspan {
namespace {

/// s_ih = g log(i + 2), g fixed. Critical scaling is g = 1/(1 - rho), rho the correlation of the
/// keys: with a larger one attention stays on few keys at any length, with a smaller one it spreads
/// over all.
template <class Real>
class FixedLog final : public Scaler<Real> {
 public:
  FixedLog(const Arguments& arguments, const LayerShape& shape)
      : gain_(arguments.text("gain") == "mean" ? 1 / mean_log_length(shape)
                                               : arguments.number("gain")) {}

  void forward(const Real*, ConstMatrixView<Real>, const Index* places, MatrixView<Real> s,
               MatrixView<Real>) const override {
    for (Index i = 0; i < s.rows; ++i)
      for (Index head = 0; head < s.cols; ++head)
        s.row(i)[head] = static_cast<Real>(gain_ * math::log(static_cast<double>(places[i] + 2)));
  }

  void backward(const Real*, ConstMatrixView<Real>, const Index*, ConstMatrixView<Real>,
                ConstMatrixView<Real>, MatrixView<Real>, Real*) const override {}

 private:
  double gain_;
};

}  // namespace

namespace scalers {
ScalerEntry fixed_log() {
  return ScalerEntry::of<FixedLog>(
      {.name = "fixed-log",
       .summary = "s = g log(i+2), nothing learned",
       .formula = "s = g log(i+2)",
       .source = "Chen et al. 2025, arXiv 2510.05554",
       .parameters = {{.name = "gain",
                       .help = "g; mean: s is 1 on average over the longest training "
                               "sample",
                       .default_value = "1",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1e-6,
                       .maximum = 1e6,
                       .choices = {"mean"}}}});
}
}  // namespace scalers
}  // namespace attnspan
