#include <algorithm>
#include <cmath>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

/// How high a cosine has to be, and how it counts above that.
struct Rule {
  double scale, power;
  Index d_head;

  /// What the largest of n cosines of random directions rises like.
  double threshold(Index keys) const {
    return scale *
           std::sqrt(2 * math::log(static_cast<double>(keys)) / static_cast<double>(d_head));
  }
  double raised(double excess, double exponent) const {
    return exponent == 2 ? excess * excess : exponent == 1 ? excess : math::pow(excess, exponent);
  }
  double weight(double score, double threshold) const {
    return score > threshold ? raised(score - threshold, power) : 0.0;
  }
};

template <class Real>
class ThresholdStream final : public RowStream<Real> {
 public:
  ThresholdStream(const Rule& rule, Index d_head) : rule_(rule), d_head_(d_head) {}

  void start(const Real*, std::span<const Index> visible) override {
    thresholds_.clear();
    for (const Index keys : visible) thresholds_.push_back(rule_.threshold(keys));
    attended_.assign(visible.size() * static_cast<std::size_t>(d_head_), 0.0);
  }

  void push(MatrixView<Real> scores, ConstMatrixView<Real> values, Index) override {
    for (Index i = 0; i < scores.rows; ++i)
      for (Index j = 0; j < scores.cols; ++j) {
        const double weight = rule_.weight(static_cast<double>(scores.row(i)[j]), threshold(i));
        if (weight == 0) continue;
        double* sum = attended_.data() + i * d_head_;
        for (Index c = 0; c < d_head_; ++c)
          sum[c] += weight * static_cast<double>(values.row(j)[c]);
      }
  }

  void finish(ConstMatrixView<Real>, MatrixView<Real> output) override {
    for (Index i = 0; i < output.rows; ++i)
      for (Index c = 0; c < d_head_; ++c)
        output.row(i)[c] = static_cast<Real>(attended_[static_cast<std::size_t>(i * d_head_ + c)]);
  }

  /// The next number below the threshold, whichever way it is rounded.
  Real floor(Index row) const override {
    return std::nextafter(static_cast<Real>(threshold(row)), Real(-2));
  }

 private:
  double threshold(Index row) const { return thresholds_[static_cast<std::size_t>(row)]; }

  Rule rule_;
  Index d_head_;
  std::vector<double> thresholds_, attended_;
};

/// w_j = relu(c_j - tau_i)^p, c_j the cosine of query and key, tau_i = b sqrt(2 log(i+1) / d_head);
/// not normalised.
template <class Real>
class Threshold final : public Normalizer<Real> {
 public:
  Threshold(const Arguments& arguments, const LayerShape& shape)
      : rule_{arguments.number("scale"), arguments.number("power"), shape.d_head} {}

  bool unit_vectors() const override { return true; }

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    const double threshold = rule_.threshold(count);
    for (Index j = 0; j < count; ++j)
      weights[j] = static_cast<Real>(rule_.weight(static_cast<double>(scores[j]), threshold));
  }

  void backward(const Real*, const Real* scores, const Real*, Index count, Real* dweights,
                Real*) const override {
    const double threshold = rule_.threshold(count);
    for (Index j = 0; j < count; ++j) {
      const double excess = static_cast<double>(scores[j]) - threshold;
      dweights[j] *=
          static_cast<Real>(excess > 0 ? rule_.power * rule_.raised(excess, rule_.power - 1) : 0.0);
    }
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return std::make_unique<ThresholdStream<Real>>(rule_, d_head);
  }

 private:
  Rule rule_;
};

}  // namespace

namespace normalizers {
NormalizerEntry threshold() {
  return NormalizerEntry::of<Threshold>(
      {.name = "threshold",
       .summary = "w = relu(cos(q, k) - b sqrt(2 log(i+1) / d_head))^p, each key for itself",
       .formula = "w_j = [cos(q, k_j) - b sqrt(2 log(i+1) / d_head)]_+^p",
       .source = "arXiv 2601.12145, one view",
       .parameters = {{.name = "scale",
                       .help = "b; whether the paper learns it could not be verified",
                       .default_value = "1",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 0,
                       .maximum = 100},
                      {.name = "power",
                       .help = "p",
                       .default_value = "2",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1,
                       .maximum = 64}}});
}
}  // namespace normalizers
}  // namespace attnspan
