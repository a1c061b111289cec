#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "position/position.hpp"

namespace attnspan {
namespace {

/// Rotary encoding: pair p of a head's coordinates (p, p + d_head/2) is turned by the angle
/// position base^(-2p/d_head) (Su et al. 2021).
template <class Real>
class Rope final : public PositionEncoding<Real> {
 public:
  Rope(const Arguments& arguments, const PositionShape& shape) : shape_(shape) {
    if (shape.d_head % 2 != 0)
      throw InputError("rope needs an even head width, not d_model/heads = " +
                       std::to_string(shape.d_head) + "; change d_model or heads.");
    const double base = arguments.number("base");
    for (Index pair = 0; pair < pairs(); ++pair)
      frequencies_.push_back(
          math::pow(base, -2.0 * static_cast<double>(pair) / static_cast<double>(shape.d_head)));
    table_.resize(static_cast<std::size_t>(table_positions * pairs() * 2));
    for (Position position = 0; position < table_positions; ++position)
      fill(position, entry(position));
  }

  Index width() const override { return shape_.d_head; }

  void turn(const Real*, Role, const Position* positions, ConstMatrixView<Real> from,
            MatrixView<Real> to) const override {
    rotate(positions, from, to, 1);
  }

  void turn_backward(const Real*, Role, const Position* positions, ConstMatrixView<Real>,
                     ConstMatrixView<Real> dto, MatrixView<Real> dfrom, Real*) const override {
    rotate(positions, dto, dfrom, -1);
  }

 private:
  /// direction -1 turns back, which is also the gradient.
  void rotate(const Position* positions, ConstMatrixView<Real> from, MatrixView<Real> to,
              Real direction) const {
    std::vector<Real> far(static_cast<std::size_t>(pairs() * 2));
    for (Index i = 0; i < from.rows; ++i) {
      const Real* turns = entry(positions[i]);
      if (positions[i] >= table_positions) {
        fill(positions[i], far.data());
        turns = far.data();
      }
      for (Index head = 0; head < shape_.heads; ++head) {
        const Real* low = from.row(i) + head * shape_.d_head;
        const Real* high = low + pairs();
        Real* to_low = to.row(i) + head * shape_.d_head;
        Real* to_high = to_low + pairs();
#pragma omp simd
        for (Index pair = 0; pair < pairs(); ++pair) {
          const Real cosine = turns[pair], sine = direction * turns[pairs() + pair];
          const Real a = low[pair], b = high[pair];
          to_low[pair] = a * cosine - b * sine;
          to_high[pair] = a * sine + b * cosine;
        }
      }
    }
  }

  // Training meets the same few positions at every step; farther ones are worked out when met.
  static constexpr Position table_positions = 2048;

  Index pairs() const { return shape_.d_head / 2; }
  const Real* entry(Position position) const {
    return table_.data() + (position < table_positions ? position : 0) * pairs() * 2;
  }
  Real* entry(Position position) { return table_.data() + position * pairs() * 2; }

  /// Cosines, then sines. Angles in double: at position 65,536 a float angle is off by 0.004.
  void fill(Position position, Real* turns) const {
    for (Index pair = 0; pair < pairs(); ++pair) {
      const double angle = position * frequencies_[static_cast<std::size_t>(pair)];
      turns[pair] = static_cast<Real>(math::cos(angle));
      turns[pairs() + pair] = static_cast<Real>(math::sin(angle));
    }
  }

  PositionShape shape_;
  std::vector<double> frequencies_;
  std::vector<Real> table_;
};

}  // namespace

namespace positions {
PositionEntry rope() {
  return PositionEntry::of<Rope>({.name = "rope",
                                  .summary = "queries and keys turned by position",
                                  .source = "Su et al. 2021, arXiv 2104.09864",
                                  .parameters = {{.name = "base",
                                                  .help = "turns slow down to position / base",
                                                  .default_value = "10000",
                                                  .kind = ParameterSpec::Kind::number,
                                                  .minimum = 2,
                                                  .maximum = 1e12}}});
}
}  // namespace positions
}  // namespace attnspan
