#include <algorithm>
#include <cmath>
#include <vector>

#include "core/mathematics.hpp"
#include "position/position.hpp"

namespace attnspan {
namespace {

/// Contextual positions: a key lies as far back as the gates sigmoid(z) of the keys from it up to
/// the row's own add up to, and gets as bias the product of the query with the embedding of that
/// position, interpolated between whole ones (Golovneva et al. 2024).
template <class Real>
class Cope final : public PositionEncoding<Real> {
 public:
  Cope(const Arguments& arguments, const LayerShape& shape)
      : d_head_(shape.d_head),
        positions_(arguments.integer("positions")),
        // The query comes divided by sqrt(d_head), which is meant for scores alone.
        unscale_(std::sqrt(static_cast<Real>(shape.d_head))) {}

  std::vector<TensorSpec> tensors() const override {
    return {{"embedding", positions_, d_head_, 0, 0}};
  }

  bool biased(Index) const override { return true; }
  Index carried() const override { return 1; }  // the gates so far

  void add_bias(const Real* parameters, Index, const BiasRow<Real>& row, Real* scores,
                Real* carried) const override {
    const std::vector<Real> products = of_positions(parameters, row);
    for (Index j = row.count; j-- > 0;) {
      carried[0] += sigmoid(scores[j]);
      const Place place = place_of(carried[0]);
      scores[j] += (1 - place.share) * products[place.low] + place.share * products[place.low + 1];
    }
  }

  void bias_backward(const Real* parameters, Index, const BiasRow<Real>& row, const Real* scores,
                     Real* dscores, const BiasGradient<Real>& gradient) const override {
    const std::vector<Real> products = of_positions(parameters, row);
    std::vector<Real> dproducts(products.size(), Real(0));
    std::vector<Real> dcounted(static_cast<std::size_t>(row.count));
    Real counted = 0;
    for (Index j = row.count; j-- > 0;) {
      counted += sigmoid(scores[j]);
      const Place place = place_of(counted);
      dproducts[place.low] += (1 - place.share) * dscores[j];
      dproducts[place.low + 1] += place.share * dscores[j];
      dcounted[static_cast<std::size_t>(j)] =
          place.beyond ? Real(0) : dscores[j] * (products[place.low + 1] - products[place.low]);
    }
    Real farther = 0;  // a gate moves its own key and every one before it
    for (Index j = 0; j < row.count; ++j) {
      farther += dcounted[static_cast<std::size_t>(j)];
      const Real gate = sigmoid(scores[j]);
      dscores[j] += farther * gate * (1 - gate);
    }
    for (Index p = 0; p < positions_; ++p) {
      const Real slope = unscale_ * dproducts[static_cast<std::size_t>(p)];
      for (Index c = 0; c < d_head_; ++c) {
        gradient.parameters[p * d_head_ + c] += slope * row.vector[c];
        gradient.vector[c] += slope * parameters[p * d_head_ + c];
      }
    }
  }

 private:
  struct Place {
    std::size_t low;
    Real share;  // of the next position
    bool beyond;
  };

  static Real sigmoid(Real z) { return 1 / (1 + math::exp(-z)); }

  Place place_of(Real counted) const {
    const auto last = static_cast<Real>(positions_ - 1);
    if (!(counted < last)) return {static_cast<std::size_t>(positions_ - 2), Real(1), true};
    const Real low = std::floor(counted);
    return {static_cast<std::size_t>(low), counted - low, false};
  }

  std::vector<Real> of_positions(const Real* parameters, const BiasRow<Real>& row) const {
    std::vector<Real> products(static_cast<std::size_t>(positions_));
    for (Index p = 0; p < positions_; ++p) {
      Real sum = 0;
      for (Index c = 0; c < d_head_; ++c) sum += row.vector[c] * parameters[p * d_head_ + c];
      products[static_cast<std::size_t>(p)] = unscale_ * sum;
    }
    return products;
  }

  Index d_head_, positions_;
  Real unscale_;
};

}  // namespace

namespace positions {
PositionEntry cope() {
  return PositionEntry::of<Cope>(
      {.name = "cope",
       .summary = "positions counted from scores, each with a learned embedding",
       .formula = "z_ij + q_i e[t_ij], t_ij = sum over j <= m <= i of 1 / (1 + exp(-z_im)), e "
                  "interpolated between whole positions",
       .source = "Golovneva et al. 2024, arXiv 2405.18719",
       .parameters = {{.name = "positions",
                       .help = "how many; keys counted farther back share the last",
                       .default_value = "64",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 2,
                       .maximum = 65536}}});
}
}  // namespace positions
}  // namespace attnspan
