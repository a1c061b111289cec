#include "attention/log_length.hpp"
#include "attention/scaler.hpp"

namespace attnspan {
namespace {

/// s_ih = b_h log(i + 2), or b_h log(i + 2) + c_h, b and c learned: Scalable-Softmax (Nakanishi
/// 2025).
template <class Real>
class Log final : public Scaler<Real> {
 public:
  Log(const Arguments& arguments, const LayerShape& shape)
      : start_(arguments.text("start") == "early"  ? 1 / math::log(16.0)
               : arguments.text("start") == "mean" ? 1 / mean_log_length(shape)
                                                   : arguments.number("start")),
        biased_(arguments.text("bias") == "learned") {}

  std::vector<TensorSpec> tensors(Index heads, Index) const override {
    std::vector<TensorSpec> tensors{{"scale", 1, heads, start_, 0}};
    if (biased_) tensors.push_back({"bias", 1, heads, 0, 0});
    return tensors;
  }

  void forward(const Real* parameters, ConstMatrixView<Real>, const Index* places,
               MatrixView<Real> s, MatrixView<Real>) const override {
    for (Index i = 0; i < s.rows; ++i) {
      const Real length = math::log(static_cast<Real>(places[i] + 2));
      for (Index head = 0; head < s.cols; ++head) s.row(i)[head] = parameters[head] * length;
      for (Index head = 0; biased_ && head < s.cols; ++head)
        s.row(i)[head] += parameters[s.cols + head];
    }
  }

  void backward(const Real*, ConstMatrixView<Real>, const Index* places, ConstMatrixView<Real>,
                ConstMatrixView<Real> ds, MatrixView<Real>, Real* dparameters) const override {
    for (Index i = 0; i < ds.rows; ++i) {
      const Real length = math::log(static_cast<Real>(places[i] + 2));
      for (Index head = 0; head < ds.cols; ++head) dparameters[head] += ds.row(i)[head] * length;
      for (Index head = 0; biased_ && head < ds.cols; ++head)
        dparameters[ds.cols + head] += ds.row(i)[head];
    }
  }

 private:
  double start_;
  bool biased_;
};

}  // namespace

namespace scalers {
ScalerEntry log() {
  return ScalerEntry::of<Log>(
      {.name = "log",
       .summary = "s = b log(i+2), b learned per head",
       .formula = "s = b log(i+2) + c",
       .source = "Nakanishi 2025, arXiv 2501.19399",
       .parameters = {{.name = "start",
                       .help = "b at the start; early: s is 1 at the 15th token; mean: on average "
                               "over the longest training sample",
                       .default_value = "early",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 0,
                       .maximum = 1000,
                       .choices = {"early", "mean"}},
                      {.name = "bias",
                       .help = "learned: c learned per head, from 0, is added to s",
                       .default_value = "none",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"none", "learned"}}},
       .aliases = {{.name = "ssmax",
                    .text = "softmax+log",
                    .summary = "Scalable-Softmax: scores grow with the logarithm of the length"}}});
}
}  // namespace scalers
}  // namespace attnspan
