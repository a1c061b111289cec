#include <cmath>

#include "position/linear_bias.hpp"

namespace attnspan {
namespace {

/// Scores fall linearly with distance, head h = 1..H with slope 2^(-8h/H) (Press, Smith and Lewis
/// 2022).
template <class Real>
class Alibi final : public PositionEncoding<Real> {
 public:
  explicit Alibi(const PositionShape& shape) {
    for (Index head = 0; head < shape.heads; ++head)
      slopes_.push_back(static_cast<Real>(
          std::exp2(-8.0 * static_cast<double>(head + 1) / static_cast<double>(shape.heads))));
  }

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
  std::vector<Real> slopes_;
};

}  // namespace

namespace positions {
PositionEntry alibi() {
  return position_entry_of<Alibi>("alibi", "linear distance bias, slopes 2^(-8h/H), on every head");
}
}  // namespace positions
}  // namespace attnspan
