#include "attention/scaler.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

/// s_ih = b_h log(i + 2), b learned: Scalable-Softmax (Nakanishi 2025).
template <class Real>
class Log final : public Scaler<Real> {
 public:
  std::vector<TensorSpec> tensors(Index heads, Index) const override {
    // Starts so that the scale is 1 at the 15th token, within every training length.
    return {{"scale", 1, heads, 1 / math::log(16.0), 0}};
  }

  void forward(const Real* b, ConstMatrixView<Real>, const Index* places,
               MatrixView<Real> s) const override {
    for (Index i = 0; i < s.rows; ++i) {
      const Real length = math::log(static_cast<Real>(places[i] + 2));
      for (Index head = 0; head < s.cols; ++head) s.row(i)[head] = b[head] * length;
    }
  }

  void backward(const Real*, ConstMatrixView<Real>, const Index* places, ConstMatrixView<Real> ds,
                MatrixView<Real>, Real* db) const override {
    for (Index i = 0; i < ds.rows; ++i) {
      const Real length = math::log(static_cast<Real>(places[i] + 2));
      for (Index head = 0; head < ds.cols; ++head) db[head] += ds.row(i)[head] * length;
    }
  }
};

}  // namespace

namespace scalers {
ScalerEntry log() {
  return ScalerEntry::of<Log>(
      {.name = "log",
       .summary = "s = b log(i+2), b learned per head",
       .source = "Nakanishi 2025, arXiv 2501.19399",
       .aliases = {{.name = "ssmax",
                    .text = "softmax+log",
                    .summary = "Scalable-Softmax: scores grow with the logarithm of the length"}}});
}
}  // namespace scalers
}  // namespace attnspan
