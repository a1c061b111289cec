#include <algorithm>
#include <cmath>

#include "attention/log_length.hpp"
#include "attention/scaler.hpp"
#include "core/mathematics.hpp"
#include "ops/product.hpp"
#include "ops/softplus.hpp"

namespace attnspan {
namespace {

/// s_ih = 1 + softplus(w_b x_i + c_b) log(i + 2)^(2 tanh(w_g x_i + c_g)) for each head h: the
/// scaler of ASEntmax (arXiv 2506.16640), the exponent bounded to (-2, 2). Its general form has a
/// learned delta_h for the 1.
template <class Real>
class Adaptive final : public Scaler<Real> {
 public:
  explicit Adaptive(const Arguments& arguments)
      : delta_(arguments.text("delta") == "learned"),
        random_(arguments.text("start") == "random") {}

  std::vector<TensorSpec> tensors(Index heads, Index d_model) const override {
    std::vector<TensorSpec> tensors;
    if (random_) {
      // The published code starts as linear layers of PyTorch do, uniform on +-1/sqrt(d_model);
      // these normal numbers have that deviation.
      const double deviation = 1 / std::sqrt(3 * static_cast<double>(d_model));
      tensors = {{"weights", d_model, 2 * heads, 0, deviation},
                 {"scale_bias", 1, heads, 0, deviation},
                 {"exponent_bias", 1, heads, 0, deviation}};
    } else {
      // From a random start one row in twenty begins near hard-max and training sticks, so the
      // projections start at 0 and the scale at 1.05, softplus(c_b) = 0.05.
      tensors = {{"weights", d_model, 2 * heads, 0, 0},
                 {"scale_bias", 1, heads, math::log(math::expm1(0.05)), 0},
                 {"exponent_bias", 1, heads, 0, 0}};
    }
    if (delta_) tensors.push_back({"delta", 1, heads, 1, 0});
    return tensors;
  }

  /// What goes into softplus, what comes out, the hyperbolic tangent, and the power.
  Index state_size() const override { return 4; }

  void forward(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
               MatrixView<Real> s, MatrixView<Real> state) const override {
    const AlignedVector<Real> projected = project(parameters, x, s.cols);
    const Real* delta = parameters + (x.cols + 1) * 2 * s.cols;
    for (Index i = 0; i < s.rows; ++i) {
      const Real* row = projected.data() + i * 2 * s.cols;
      const auto log_log = log_log_length<Real>(places[i]);
      for (Index head = 0; head < s.cols; ++head) {
        const Real scale = softplus(row[head]), bend = math::tanh(row[s.cols + head]);
        const Real power = math::exp(2 * bend * log_log);
        s.row(i)[head] = (delta_ ? delta[head] : Real(1)) + scale * power;
        if (state.rows == 0) continue;
        const Real known[] = {row[head], scale, bend, power};
        std::copy_n(known, state_size(), state.row(i) + head * state_size());
      }
    }
  }

  void backward(const Real* parameters, ConstMatrixView<Real> x, const Index* places,
                ConstMatrixView<Real> state, ConstMatrixView<Real> ds, MatrixView<Real> dx,
                Real* dparameters) const override {
    const Index heads = ds.cols;
    AlignedVector<Real> gradient(static_cast<std::size_t>(x.rows * 2 * heads));
    const MatrixView<Real> dprojected(gradient.data(), x.rows, 2 * heads);
    Real* dbias = dparameters + x.cols * 2 * heads;
    for (Index i = 0; i < ds.rows; ++i) {
      Real* row = dprojected.row(i);
      const auto log_log = log_log_length<Real>(places[i]);
      for (Index head = 0; head < heads; ++head) {
        const Real* known = state.row(i) + head * state_size();
        const Real input = known[0], scale = known[1], bend = known[2], power = known[3];
        const Real slope = power * ds.row(i)[head];
        row[head] = slope / (1 + math::exp(-input));
        row[heads + head] = slope * scale * 2 * log_log * (1 - bend * bend);
        dbias[head] += row[head];
        dbias[heads + head] += row[heads + head];
        if (delta_) dbias[2 * heads + head] += ds.row(i)[head];
      }
    }
    product_at<Real>(x, dprojected, {dparameters, x.cols, 2 * heads}, Into::add);
    product_bt<Real>(dprojected, {parameters, x.cols, 2 * heads}, dx, Into::add);
  }

 private:
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

  bool delta_, random_;
};

}  // namespace

namespace scalers {
ScalerEntry adaptive() {
  return ScalerEntry::of<Adaptive>(
      {.name = "adaptive",
       .summary = "s = 1 + softplus(w x) log(i+2)^(2 tanh(v x)), learned, from the layer's input",
       .formula = "s = delta + softplus(w x + c) log(i+2)^(2 tanh(v x + e)), x the normed input of "
                  "the layer",
       .source = "arXiv 2506.16640",
       .parameters = {{.name = "start",
                       .help = "even: every scale is 1.05; random: as the published code starts",
                       .default_value = "even",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"even", "random"}},
                      {.name = "delta",
                       .help = "what stands for the 1: fixed, or learned per head from 1",
                       .default_value = "fixed",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"fixed", "learned"}}},
       .aliases = {
           {.name = "asentmax",
            .text = "entmax:1.5+adaptive",
            .summary = "Adaptive-Scalable Entmax: sparse, with a learned, length-aware scale"}}});
}
}  // namespace scalers
}  // namespace attnspan
