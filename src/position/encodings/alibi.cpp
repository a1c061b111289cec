#include <cmath>

#include "position/linear_bias.hpp"

namespace attnspan {
namespace {

/// Scores fall linearly with distance, head h = 1..H with slope 2^(-8h/H) (Press, Smith and Lewis
/// 2022) or another one.
template <class Real>
class Alibi final : public PositionEncoding<Real> {
 public:
  Alibi(const Arguments& arguments, const PositionShape& shape)
      : scaled_(scales_biased(arguments)) {
    std::vector<double> geometric;
    for (Index head = 1; head <= shape.heads; ++head)
      geometric.push_back(
          std::exp2(-8.0 * static_cast<double>(head) / static_cast<double>(shape.heads)));
    for (const double slope : linear_slopes("alibi", arguments, geometric))
      slopes_.push_back(static_cast<Real>(slope));
  }

  bool scaled(Index) const override { return scaled_; }
  bool biased(Index) const override { return true; }

  void add_bias(const Real*, Index head, Position query, const Position* keys, Index count,
                Real* scores) const override {
    add_linear_bias(slope(head), query, keys, count, scores);
  }

  Real bias_bound(const Real*, Index head, Position distance) const override {
    return -slope(head) * static_cast<Real>(distance);
  }

 private:
  Real slope(Index head) const { return slopes_[static_cast<std::size_t>(head)]; }
  bool scaled_;
  std::vector<Real> slopes_;
};

}  // namespace

namespace positions {
PositionEntry alibi() {
  return PositionEntry::of<Alibi>(
      {.name = "alibi",
       .summary = "linear distance bias on every head",
       .source = "Press, Smith and Lewis 2022, arXiv 2108.12409",
       .parameters = {slopes_parameter("geometric", "2^(-8h/H)"), scaled_parameter("all")}});
}
}  // namespace positions
}  // namespace attnspan
