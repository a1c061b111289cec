#include <algorithm>
#include <cmath>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/softplus.hpp"

namespace attnspan {
namespace {

/// Length-scaled softplus attention with re-weighting: with c_j the cosine of query and key, z_j =
/// log d_head log n c_j, a_j = softplus(z_j) / sum softplus(z) and r_j = relu(n a_j - o), p_j =
/// r_j^P / sum r^P; o is 1, and 0 in rows of at most three keys. n counts the keys that are not
/// hidden. Where no key is above the others, so that every r is 0, weights are equal.
template <class Real>
class Lssar final : public Normalizer<Real> {
 public:
  Lssar(const Arguments& arguments, const LayerShape& shape)
      : power_(arguments.number("power")),
        log_width_(math::log(static_cast<double>(shape.d_head))) {
    if (shape.d_head < 2)
      throw InputError(
          "attention lssar multiplies scores by the logarithm of the head width, which has to be 2 "
          "or more; lower heads or raise d_model.");
  }

  bool unit_vectors() const override { return true; }

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    const Row row = row_of(scores, count);
    for (Index j = 0; j < count; ++j) weights[j] = static_cast<Real>(row.weight(j, power_));
  }

  void backward(const Real*, const Real* scores, const Real*, Index count, Real* dweights,
                Real*) const override {
    const Row row = row_of(scores, count);
    std::vector<double> slopes(static_cast<std::size_t>(count), 0.0);  // of the softpluses
    double inner = 0, along = 0;
    for (Index j = 0; j < count; ++j)
      inner += row.weight(j, power_) * static_cast<double>(dweights[j]);
    for (Index j = 0; j < count; ++j) {
      const double rise = row.rise[static_cast<std::size_t>(j)];
      if (row.largest > 0 && rise > 0)
        slopes[static_cast<std::size_t>(j)] = power_ / rise * row.weight(j, power_) *
                                              (static_cast<double>(dweights[j]) - inner) *
                                              row.keys / row.sum;
      along += slopes[static_cast<std::size_t>(j)] * row.softplus[static_cast<std::size_t>(j)];
    }
    for (Index j = 0; j < count; ++j) {
      const double z = row.length * static_cast<double>(scores[j]);
      dweights[j] = static_cast<Real>(
          std::isinf(scores[j]) ? 0.0
                                : (slopes[static_cast<std::size_t>(j)] - along / row.sum) *
                                      row.length / (1 + math::exp(-z)));
    }
  }

 private:
  struct Row {
    double keys = 0, length = 0, sum = 0, largest = 0, raised_sum = 0;
    std::vector<double> softplus, rise;  // 0 for hidden keys

    /// Powers are taken of shares of the largest, so that they stay numbers.
    double weight(Index j, double power) const {
      const auto at = static_cast<std::size_t>(j);
      if (!(largest > 0)) return softplus[at] > 0 ? 1 / keys : 0;
      return rise[at] > 0 ? math::pow(rise[at] / largest, power) / raised_sum : 0.0;
    }
  };

  Row row_of(const Real* scores, Index count) const {
    Row row;
    for (Index j = 0; j < count; ++j) row.keys += std::isinf(scores[j]) ? 0 : 1;
    row.length = row.keys > 0 ? log_width_ * math::log(row.keys) : 0;
    for (Index j = 0; j < count; ++j) {
      const double z = row.length * static_cast<double>(scores[j]);
      row.softplus.push_back(std::isinf(scores[j]) ? 0.0 : softplus(z));
      row.sum += row.softplus.back();
    }
    const double offset = row.keys > 3 ? 1 : 0;
    for (const double softplus : row.softplus) {
      row.rise.push_back(std::max(0.0, row.keys * softplus / row.sum - offset));
      row.largest = std::max(row.largest, row.rise.back());
    }
    // Of equal scores the shares are equal but for rounding.
    if (row.largest < 1e-14 * row.keys) row.largest = 0;
    for (const double rise : row.rise)
      if (row.largest > 0 && rise > 0) row.raised_sum += math::pow(rise / row.largest, power_);
    return row;
  }

  double power_, log_width_;
};

}  // namespace

namespace normalizers {
NormalizerEntry lssar() {
  return NormalizerEntry::of<Lssar>(
      {.name = "lssar",
       .summary = "softplus of cosines times log d_head log n, sharpened by a power",
       .formula = "p_j = r_j^P / sum r^P, r_j = [n a_j - 1]_+ ([n a_j]_+ up to n = 3), a = "
                  "softplus(z) / sum softplus(z), z_j = log d_head log n cos(q, k_j)",
       .source = "Gao, Spratling and Gionfrida 2025, arXiv 2501.13428",
       .parameters = {{.name = "power",
                       .help = "P",
                       .default_value = "15",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1,
                       .maximum = 64}}});
}
}  // namespace normalizers
}  // namespace attnspan
