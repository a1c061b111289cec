#include "attention/log_length.hpp"
#include "attention/scaler.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

/// s_ih = 1 + b_h log(i + 2)^g_h, b and g learned per head: the scaler of ASEntmax (arXiv
/// 2506.16640) without what depends on the input.
template <class Real>
class Power final : public Scaler<Real> {
 public:
  std::vector<TensorSpec> tensors(Index heads, Index) const override {
    // The middle of the published start, b from U(0.1, 1), and its spread of g.
    return {{"scale", 1, heads, 0.55, 0}, {"exponent", 1, heads, 0, 0.1}};
  }

  void forward(const Real* parameters, ConstMatrixView<Real>, const Index* places,
               MatrixView<Real> s, MatrixView<Real>) const override {
    for (Index i = 0; i < s.rows; ++i) {
      const auto log_log = log_log_length<Real>(places[i]);
      for (Index head = 0; head < s.cols; ++head)
        s.row(i)[head] = 1 + parameters[head] * math::exp(parameters[s.cols + head] * log_log);
    }
  }

  void backward(const Real* parameters, ConstMatrixView<Real>, const Index* places,
                ConstMatrixView<Real>, ConstMatrixView<Real> ds, MatrixView<Real>,
                Real* dparameters) const override {
    for (Index i = 0; i < ds.rows; ++i) {
      const auto log_log = log_log_length<Real>(places[i]);
      for (Index head = 0; head < ds.cols; ++head) {
        const Real power = ds.row(i)[head] * math::exp(parameters[ds.cols + head] * log_log);
        dparameters[head] += power;
        dparameters[ds.cols + head] += power * parameters[head] * log_log;
      }
    }
  }
};

}  // namespace

namespace scalers {
ScalerEntry power() {
  return ScalerEntry::of<Power>({.name = "power",
                                 .summary = "s = 1 + b log(i+2)^g, b and g learned per head",
                                 .formula = "s = 1 + b log(i+2)^g",
                                 .source = "arXiv 2506.16640"});
}
}  // namespace scalers
}  // namespace attnspan
