#include "core/mathematics.hpp"
#include "position/linear_bias.hpp"
#include "position/randomized.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {
namespace {

/// Scores fall linearly with distance, head h = 1..H with slope 2^(-8h/H) (Press, Smith and Lewis
/// 2022) or another one.
template <class Real>
class Alibi final : public PositionEncoding<Real> {
 public:
  Alibi(const Arguments& arguments, const LayerShape& shape) {
    std::vector<double> geometric;
    for (Index head = 1; head <= shape.heads; ++head)
      geometric.push_back(
          math::exp2(-8.0 * static_cast<double>(head) / static_cast<double>(shape.heads)));
    for (const double slope : linear_slopes("alibi", arguments, geometric))
      slopes_.push_back(static_cast<Real>(slope));
  }

  bool biased(Index) const override { return true; }

  void add_bias(const Real*, Index head, const BiasRow<Real>& row, Real* scores,
                Real*) const override {
    add_linear_bias(slope(head), row, scores);
  }

  Real bias_bound(const Real*, Index head, const BiasRow<Real>& row) const override {
    return linear_bias_bound(slope(head), row);
  }

  bool fades(Index) const override { return true; }

 private:
  Real slope(Index head) const { return slopes_[static_cast<std::size_t>(head)]; }
  std::vector<Real> slopes_;
};

}  // namespace

namespace positions {
PositionEntry alibi() {
  return PositionEntry::of<Alibi>(
      {.name = "alibi",
       .summary = "linear distance bias on every head",
       .formula = "z_ij - m_h (i - j)",
       .source = "Press, Smith and Lewis 2022, arXiv 2108.12409",
       .parameters = {slopes_parameter("geometric", "2^(-8h/H)"), scaled_parameter("all"),
                      randomized_parameter()}});
}
}  // namespace positions
}  // namespace attnspan
