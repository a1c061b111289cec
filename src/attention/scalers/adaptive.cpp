#include "attention/scaler.hpp"
#include "core/mathematics.hpp"
#include "ops/product.hpp"

namespace attnspan {
namespace {

/// s_ih = 1 + softplus(w_b x_i + c_b) log(i + 2)^(2 tanh(w_g x_i + c_g)) for each head h: the
/// scaler of ASEntmax (arXiv 2506.16640), the exponent bounded to (-2, 2).
template <class Real>
class Adaptive final : public Scaler<Real> {
 public:
  std::vector<TensorSpec> tensors(Index heads, Index d_model) const override {
    // From a random start one row in twenty begins near hard-max and training sticks, so the
    // projections start at 0 and the scale at 1.05, softplus(c_b) = 0.05.
    return {{"weights", d_model, 2 * heads, 0, 0},
            {"scale_bias", 1, heads, math::log(math::expm1(0.05)), 0},
            {"exponent_bias", 1, heads, 0, 0}};
  }

  void forward(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
               MatrixView<Real> s) const override {
    const AlignedVector<Real> projected = project(parameters, x, s.cols);
    for (Index i = 0; i < s.rows; ++i) {
      const Real* row = projected.data() + i * 2 * s.cols;
      const Real log_log = math::log(math::log(static_cast<Real>(places[i] + 2)));
      for (Index head = 0; head < s.cols; ++head)
        s.row(i)[head] =
            1 + softplus(row[head]) * math::exp(2 * math::tanh(row[s.cols + head]) * log_log);
    }
  }

  void backward(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
                ConstMatrixView<Real> ds, MatrixView<Real> dx, Real* dparameters) const override {
    const Index heads = ds.cols;
    AlignedVector<Real> projected = project(parameters, x, heads);
    Real* dbias = dparameters + x.cols * 2 * heads;
    for (Index i = 0; i < ds.rows; ++i) {
      Real* row = projected.data() + i * 2 * heads;  // becomes its own gradient
      const Real log_log = math::log(math::log(static_cast<Real>(places[i] + 2)));
      for (Index head = 0; head < heads; ++head) {
        const Real bend = math::tanh(row[heads + head]);
        const Real power = math::exp(2 * bend * log_log) * ds.row(i)[head];
        const Real scale = softplus(row[head]);
        row[head] = power / (1 + math::exp(-row[head]));
        row[heads + head] = power * scale * 2 * log_log * (1 - bend * bend);
        dbias[head] += row[head];
        dbias[heads + head] += row[heads + head];
      }
    }
    const MatrixView<const Real> dprojected(projected.data(), x.rows, 2 * heads);
    product_at<Real>(x, dprojected, {dparameters, x.cols, 2 * heads}, Into::add);
    product_bt<Real>(dprojected, {parameters, x.cols, 2 * heads}, dx, Into::add);
  }

 private:
  static Real softplus(Real v) { return v > 20 ? v : math::log1p(math::exp(v)); }

  /// rows x 2 heads: what goes into softplus, then what goes into tanh.
  static AlignedVector<Real> project(const Real* parameters, ConstMatrixView<Real> x, Index heads) {
    AlignedVector<Real> projected(static_cast<std::size_t>(x.rows * 2 * heads));
    const MatrixView<Real> out(projected.data(), x.rows, 2 * heads);
    product<Real>(x, {parameters, x.cols, 2 * heads}, out);
    const Real* bias = parameters + x.cols * 2 * heads;
    for (Index i = 0; i < out.rows; ++i)
      for (Index j = 0; j < out.cols; ++j) out.row(i)[j] += bias[j];
    return projected;
  }
};

}  // namespace

namespace scalers {
ScalerEntry adaptive() {
  return ScalerEntry::of<Adaptive>(
      {.name = "adaptive",
       .summary = "s = 1 + softplus(w x) log(i+2)^(2 tanh(v x)), learned, from the layer's input",
       .source = "arXiv 2506.16640",
       .aliases = {
           {.name = "asentmax",
            .text = "entmax:1.5+adaptive",
            .summary = "Adaptive-Scalable Entmax: sparse, with a learned, length-aware scale"}}});
}
}  // namespace scalers
}  // namespace attnspan
