#include <vector>

#include "core/mathematics.hpp"
#include "ops/softplus.hpp"
#include "position/position.hpp"

namespace attnspan {
namespace {

/// The bias of a key is the sum of log f over the tokens after it up to the query's, with a forget
/// gate f = sigmoid(w_h x + b_h) of each token and head: the Forgetting Transformer (Lin et al.
/// 2025).
template <class Real>
class Fox final : public PositionEncoding<Real> {
 public:
  Fox(const Arguments& arguments, const LayerShape& shape)
      : shape_(shape), start_(arguments.number("start")) {}

  std::vector<TensorSpec> tensors() const override {
    return {{"weights", d_model(), shape_.heads, 0, 0}, {"bias", 1, shape_.heads, start_, 0}};
  }

  bool biased(Index) const override { return true; }

  /// The sum of log f up to a token: the number nearest to it, and what that leaves. At 65,536
  /// tokens the sum may be 45,000, of which float keeps 0.004.
  Index features() const override { return 2; }

  void read(const Real* parameters, ConstMatrixView<Real> x,
            MatrixView<Real> features) const override {
    std::vector<double> sums(static_cast<std::size_t>(shape_.heads), 0.0);
    for (Index i = 0; i < x.rows; ++i)
      for (Index head = 0; head < shape_.heads; ++head) {
        double& sum = sums[static_cast<std::size_t>(head)];
        sum -= softplus(-static_cast<double>(gate(parameters, x.row(i), head)));
        Real* feature = features.row(i) + 2 * head;
        feature[0] = static_cast<Real>(sum);
        feature[1] = static_cast<Real>(sum - static_cast<double>(feature[0]));
      }
  }

  void read_backward(const Real* parameters, ConstMatrixView<Real> x, ConstMatrixView<Real>,
                     ConstMatrixView<Real> dfeatures, MatrixView<Real> dx,
                     Real* dparameters) const override {
    for (Index head = 0; head < shape_.heads; ++head) {
      Real later = 0;  // of the sums of this token and those after it
      for (Index i = x.rows; i-- > 0;) {
        later += dfeatures.row(i)[2 * head];
        const Real slope = later / (1 + math::exp(gate(parameters, x.row(i), head)));
        for (Index c = 0; c < d_model(); ++c) {
          dx.row(i)[c] += slope * parameters[c * shape_.heads + head];
          dparameters[c * shape_.heads + head] += slope * x.row(i)[c];
        }
        dparameters[d_model() * shape_.heads + head] += slope;
      }
    }
  }

  void add_bias(const Real*, Index, const BiasRow<Real>& row, Real* scores, Real*) const override {
    for (Index j = 0; j < row.count; ++j) scores[j] += bias(row, j);
  }

  void bias_backward(const Real*, Index, const BiasRow<Real>& row, const Real*, Real* dscores,
                     const BiasGradient<Real>& gradient) const override {
    for (Index j = 0; j < row.count; ++j) {
      gradient.features[0] += dscores[j];
      gradient.key_features.row(j)[0] -= dscores[j];
    }
  }

  /// Every gate more makes the bias smaller.
  Real bias_bound(const Real*, Index, const BiasRow<Real>& row) const override {
    return bias(row, row.count - 1);
  }

  bool fades(Index) const override { return true; }

 private:
  Index d_model() const { return shape_.d_model(); }

  Real gate(const Real* parameters, const Real* x, Index head) const {
    Real sum = parameters[d_model() * shape_.heads + head];
    for (Index c = 0; c < d_model(); ++c) sum += x[c] * parameters[c * shape_.heads + head];
    return sum;
  }

  static Real bias(const BiasRow<Real>& row, Index key) {
    const Real* of_key = row.key_features.row(key);
    return (row.features[0] - of_key[0]) + (row.features[1] - of_key[1]);
  }

  LayerShape shape_;
  double start_;
};

}  // namespace

namespace positions {
PositionEntry fox() {
  return PositionEntry::of<Fox>(
      {.name = "fox",
       .summary = "forget gates: a key fades with the gates of the tokens after it",
       .formula = "z_ij + sum over j < m <= i of log f_m, f_m = 1 / (1 + exp(-w_h x_m - b_h))",
       .source = "Lin et al. 2025, arXiv 2503.02130",
       .parameters = {{.name = "start",
                       .help = "b at the start; a gate is sigmoid(b)",
                       .default_value = "3",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = -20,
                       .maximum = 20}}});
}
}  // namespace positions
}  // namespace attnspan
