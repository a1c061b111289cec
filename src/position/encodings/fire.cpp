#include <algorithm>
#include <cmath>
#include <vector>

#include "core/mathematics.hpp"
#include "position/position.hpp"

namespace attnspan {
namespace {

/// The bias is a small network f_h, one hidden layer of rectified units, of the distance over the
/// query's position, both on a scale psi(x) = log(1 + |c x|): f(psi(i-j) / psi(max(i, |m L|))). c,
/// m and the network are learned; L is fixed, a quarter of the training length as in the paper's
/// 512 of 2,048 (Li et al. 2023).
template <class Real>
class Fire final : public PositionEncoding<Real> {
 public:
  Fire(const Arguments& arguments, const LayerShape& shape)
      : heads_(shape.heads),
        width_(arguments.integer("width")),
        threshold_(static_cast<Real>(arguments.text("threshold") == "quarter"
                                         ? static_cast<double>(shape.train_tokens) / 4
                                         : arguments.number("threshold"))) {}

  std::vector<TensorSpec> tensors() const override {
    // Those of PyTorch's linear layers, as normal numbers of their deviation.
    const double of_one = 1 / std::sqrt(3.0),
                 of_hidden = 1 / std::sqrt(3 * static_cast<double>(width_));
    return {{"slope", 1, 1, 0.1, 0},
            {"threshold", 1, 1, 1, 0, false, true},  // nothing to queries beyond it
            {"up", 1, width_, 0, of_one},
            // What is added to all scores of a row, as by a unit that is open to every key, is
            // nothing to normalizers of differences.
            {"up_bias", 1, width_, 0, of_one, false, true},
            {"down", heads_, width_, 0, of_hidden},
            {"down_bias", 1, heads_, 0, of_hidden, false, true}};
  }

  bool biased(Index) const override { return true; }

  void add_bias(const Real* parameters, Index head, const BiasRow<Real>& row, Real* scores,
                Real*) const override {
    const Network network = of(parameters, head);
    const Scale scale = scale_of(parameters, row.query);
    for (Index j = 0; j < row.count; ++j) {
      const Real share = psi(parameters, distance(row, j)) / scale.whole;
      Real sum = network.down_bias[0];
      for (Index u = 0; u < width_; ++u)
        sum += network.down[u] * std::max(Real(0), network.up[u] * share + network.up_bias[u]);
      scores[j] += sum;
    }
  }

  void bias_backward(const Real* parameters, Index head, const BiasRow<Real>& row, const Real*,
                     Real* dscores, const BiasGradient<Real>& gradient) const override {
    const Network network = of(parameters, head);
    Real* dup = gradient.parameters + (network.up - parameters);
    Real* dup_bias = gradient.parameters + (network.up_bias - parameters);
    Real* ddown = gradient.parameters + (network.down - parameters);
    Real* ddown_bias = gradient.parameters + (network.down_bias - parameters);
    const Scale scale = scale_of(parameters, row.query);
    Real dwhole = 0;
    for (Index j = 0; j < row.count; ++j) {
      const Real share = psi(parameters, distance(row, j)) / scale.whole;
      Real dshare = 0;
      ddown_bias[0] += dscores[j];
      for (Index u = 0; u < width_; ++u) {
        const Real hidden = network.up[u] * share + network.up_bias[u];
        if (!(hidden > 0)) continue;
        const Real dhidden = dscores[j] * network.down[u];
        ddown[u] += dscores[j] * hidden;
        dup[u] += dhidden * share;
        dup_bias[u] += dhidden;
        dshare += dhidden * network.up[u];
      }
      gradient.parameters[0] += dshare / scale.whole * psi_slope(parameters, distance(row, j));
      dwhole -= dshare * share / scale.whole;
    }
    gradient.parameters[0] += dwhole * psi_slope(parameters, scale.position);
    if (scale.learned) {
      const Real c = std::abs(parameters[0]);
      gradient.parameters[1] +=
          dwhole * std::copysign(threshold_, parameters[1]) * c / (1 + c * scale.position);
    }
  }

 private:
  struct Network {
    const Real *up, *up_bias, *down, *down_bias;
  };
  Network of(const Real* parameters, Index head) const {
    const Real* up = parameters + 2;
    const Real* down = up + 2 * width_;
    return {up, up + width_, down + head * width_, down + heads_ * width_ + head};
  }

  /// What distances are divided by.
  struct Scale {
    Real position;
    bool learned;  // the position is |m L|
    Real whole;
  };
  Scale scale_of(const Real* parameters, Position query) const {
    const Real least = std::abs(parameters[1] * threshold_);
    const bool learned = least > static_cast<Real>(query);
    const Real position = learned ? least : static_cast<Real>(query);
    return {position, learned, psi(parameters, position) + Real(1e-6)};
  }

  static Real distance(const BiasRow<Real>& row, Index key) {
    return static_cast<Real>(row.query - row.keys[key]);
  }
  static Real psi(const Real* parameters, Real x) {
    return math::log1p(std::abs(parameters[0] * x));
  }
  static Real psi_slope(const Real* parameters, Real x) {
    return std::copysign(x, parameters[0]) / (1 + std::abs(parameters[0] * x));
  }

  Index heads_, width_;
  Real threshold_;
};

}  // namespace

namespace positions {
PositionEntry fire() {
  return PositionEntry::of<Fire>(
      {.name = "fire",
       .summary = "a learned function of the distance over the query's position",
       .formula = "z_ij + f_h(psi(i - j) / psi(max(i, |m L|))), psi(x) = log(1 + |c x|), f a "
                  "network of one hidden layer",
       .source = "Li et al. 2023, arXiv 2310.04418",
       .parameters = {
           {.name = "threshold",
            .help = "L, up to which positions are taken as one; quarter: of the training "
                    "length",
            .default_value = "quarter",
            .kind = ParameterSpec::Kind::number,
            .minimum = 1,
            .maximum = 1e9,
            .choices = {"quarter"}},
           {.name = "width",
            .help = "hidden units",
            .default_value = "32",
            .kind = ParameterSpec::Kind::integer,
            .minimum = 1,
            .maximum = 1024}}});
}
}  // namespace positions
}  // namespace attnspan
