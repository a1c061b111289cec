#include <vector>

#include "core/mathematics.hpp"
#include "ops/softplus.hpp"
#include "position/position.hpp"
#include "position/turns.hpp"

namespace attnspan {
namespace {

/// Polar encoding: each coordinate becomes a magnitude softplus(v) at the angle position
/// base^(-c/d), keys ahead of it by an angle learned per head and coordinate, so that a score is a
/// sum of magnitudes times cosines of the distance (Gopalakrishnan et al. 2025). There the learned
/// angle is kept within a turn, which makes no difference to a cosine.
template <class Real>
class Pope final : public PositionEncoding<Real> {
 public:
  Pope(const Arguments& arguments, const LayerShape& shape) : shape_(shape) {
    for (Index c = 0; c < shape.d_head; ++c)
      frequencies_.push_back(math::pow(
          arguments.number("base"), -static_cast<double>(c) / static_cast<double>(shape.d_head)));
  }

  std::vector<TensorSpec> tensors() const override {
    return {{"ahead", shape_.heads, shape_.d_head, 0, 0}};
  }

  Index width() const override { return 2 * shape_.d_head; }

  void turn(const Real* ahead, Role role, const Position* positions, ConstMatrixView<Real> from,
            MatrixView<Real> to) const override {
    for (Index i = 0; i < from.rows; ++i)
      for (Index c = 0; c < from.cols; ++c) {
        const double at = angle(ahead, role, positions[i], c);
        const Real size = softplus(from.row(i)[c]);
        to.row(i)[2 * c] = size * static_cast<Real>(math::cos(at));
        to.row(i)[2 * c + 1] = size * static_cast<Real>(math::sin(at));
      }
  }

  void turn_backward(const Real* ahead, Role role, const Position* positions,
                     ConstMatrixView<Real> from, ConstMatrixView<Real> dto, MatrixView<Real> dfrom,
                     Real* dahead) const override {
    for (Index i = 0; i < from.rows; ++i)
      for (Index c = 0; c < from.cols; ++c) {
        const double at = angle(ahead, role, positions[i], c);
        const auto cosine = static_cast<Real>(math::cos(at)),
                   sine = static_cast<Real>(math::sin(at));
        const Real dcosine = dto.row(i)[2 * c], dsine = dto.row(i)[2 * c + 1], v = from.row(i)[c];
        dfrom.row(i)[c] = (dcosine * cosine + dsine * sine) / (1 + math::exp(-v));
        if (role == Role::key) dahead[c] += softplus(v) * (dsine * cosine - dcosine * sine);
      }
  }

 private:
  /// In double: at position 65,536 a float angle is off by 0.004.
  double angle(const Real* ahead, Role role, Position position, Index c) const {
    return position * frequencies_[static_cast<std::size_t>(c % shape_.d_head)] +
           (role == Role::key ? static_cast<double>(ahead[c]) : 0.0);
  }

  LayerShape shape_;
  std::vector<double> frequencies_;
};

}  // namespace

namespace positions {
PositionEntry pope() {
  return PositionEntry::of<Pope>(
      {.name = "pope",
       .summary = "magnitudes of queries and keys at angles of position",
       .formula =
           "sum over c of softplus(q_c) softplus(k_c) cos((i - j) base^(-c/d) - delta_c) / sqrt(d)",
       .source = "Gopalakrishnan et al. 2025, arXiv 2509.10534",
       .parameters = {base_parameter()}});
}
}  // namespace positions
}  // namespace attnspan
