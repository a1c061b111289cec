#include "position/linear_bias.hpp"

namespace attnspan {
namespace {

/// NoPE and ALiBi in one layer: the first half of the heads has linear biases with slopes
/// 1, 1/2, 1/3, ...; the other half has no encoding and is the half that scalers scale (the paper's
/// NAPE, arXiv 2506.16640).
template <class Real>
class Nape final : public PositionEncoding<Real> {
 public:
  explicit Nape(const PositionShape& shape) : near_heads_(shape.heads / 2) {}

  bool scaled(Index head) const override { return head >= near_heads_; }
  bool biased(Index head) const override { return head < near_heads_; }

  void add_bias(const Real*, Index head, Position query, const Position* keys, Index count,
                Real* scores) const override {
    if (biased(head)) add_linear_bias(slope(head), query, keys, count, scores);
  }

  Real bias_bound(const Real*, Index head, Position distance) const override {
    return biased(head) ? -slope(head) * static_cast<Real>(distance) : Real(0);
  }

 private:
  static Real slope(Index head) { return Real(1) / static_cast<Real>(head + 1); }
  Index near_heads_;
};

}  // namespace

namespace positions {
PositionEntry nape() {
  return position_entry_of<Nape>(
      "nape", "half the heads ALiBi with slopes 1, 1/2, 1/3, ..., the other half without encoding");
}
}  // namespace positions
}  // namespace attnspan
