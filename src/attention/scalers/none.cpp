#include <algorithm>

#include "attention/scaler.hpp"

namespace attnspan {
namespace {

/// s = 1.
template <class Real>
class None final : public Scaler<Real> {
 public:
  bool identity() const override { return true; }
  void forward(const Real*, ConstMatrixView<Real>, const Index*, MatrixView<Real> s,
               MatrixView<Real>) const override {
    for (Index i = 0; i < s.rows; ++i) std::fill_n(s.row(i), s.cols, Real(1));
  }
  void backward(const Real*, ConstMatrixView<Real>, const Index*, ConstMatrixView<Real>,
                ConstMatrixView<Real>, MatrixView<Real>, Real*) const override {}
};

}  // namespace

namespace scalers {
ScalerEntry none() {
  return ScalerEntry::of<None>({.name = "none", .summary = "s = 1", .formula = "s = 1"});
}
}  // namespace scalers
}  // namespace attnspan
