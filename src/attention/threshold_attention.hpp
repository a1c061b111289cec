#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"

namespace attnspan {

/// How high a cosine has to be, and how it counts above that.
struct ThresholdRule {
  double scale, power;
  Index d_head;

  /// scale sqrt(2 log n / d_head): what the largest of n cosines of random directions rises like.
  /// Keys that a window hides count.
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

inline std::vector<ParameterSpec> threshold_parameters() {
  return {{.name = "scale",
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
           .maximum = 64}};
}

/// Which of the two views of threshold attention: the second is subtracted, times a share l of 0 to
/// 1 learned per head.
enum class ThresholdView { first, second };

/// What its weights are multiplied by.
template <class Real>
double threshold_factor(ThresholdView view, const Real* l) {
  return view == ThresholdView::first ? 1 : -std::clamp(static_cast<double>(l[0]), 0.0, 1.0);
}

/// Keys above the threshold are added as they come.
template <class Real>
class ThresholdStream final : public RowStream<Real> {
 public:
  ThresholdStream(const ThresholdRule& rule, ThresholdView view, Index d_head)
      : rule_(rule), view_(view), d_head_(d_head) {}

  void start(const Real* parameters, std::span<const Index> visible) override {
    factor_ = threshold_factor(view_, parameters);
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
        output.row(i)[c] =
            static_cast<Real>(factor_ * attended_[static_cast<std::size_t>(i * d_head_ + c)]);
  }

  /// The next number below the threshold, whichever way it is rounded.
  Real floor(Index row) const override {
    return std::nextafter(static_cast<Real>(threshold(row)), Real(-2));
  }

 private:
  double threshold(Index row) const { return thresholds_[static_cast<std::size_t>(row)]; }

  ThresholdRule rule_;
  ThresholdView view_;
  Index d_head_;
  double factor_ = 1;
  std::vector<double> thresholds_, attended_;
};

/// w_j = relu(c_j - tau_i)^p, c_j the cosine of query and key; not normalised. Of two views the
/// second is subtracted.
template <class Real>
class ThresholdAttention : public Normalizer<Real> {
 public:
  ThresholdAttention(const ThresholdRule& rule, ThresholdView view) : rule_(rule), view_(view) {}

  bool unit_vectors() const override { return true; }

  void forward(const Real* parameters, const Real* scores, Index count, Real* weights,
               Real*) const override {
    const double threshold = rule_.threshold(count), factor = threshold_factor(view_, parameters);
    for (Index j = 0; j < count; ++j)
      weights[j] =
          static_cast<Real>(factor * rule_.weight(static_cast<double>(scores[j]), threshold));
  }

  void backward(const Real* parameters, const Real* scores, const Real*, Index count,
                Real* dweights, Real* dparameters) const override {
    const double threshold = rule_.threshold(count), factor = threshold_factor(view_, parameters);
    double dshare = 0;
    for (Index j = 0; j < count; ++j) {
      const double excess = static_cast<double>(scores[j]) - threshold;
      if (excess > 0)
        dshare -= rule_.raised(excess, rule_.power) * static_cast<double>(dweights[j]);
      dweights[j] *= static_cast<Real>(
          excess > 0 ? factor * rule_.power * rule_.raised(excess, rule_.power - 1) : 0.0);
    }
    if (view_ == ThresholdView::second && parameters[0] > 0 && parameters[0] < 1)
      dparameters[0] += static_cast<Real>(dshare);
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return std::make_unique<ThresholdStream<Real>>(rule_, view_, d_head);
  }

 private:
  ThresholdRule rule_;
  ThresholdView view_;
};

}  // namespace attnspan
