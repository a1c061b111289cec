#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "position/hidden.hpp"
#include "position/randomized.hpp"
#include "position/scaled_heads.hpp"
#include "position/turns.hpp"

namespace attnspan {
namespace {

/// Rotary encoding: pair p of a head's coordinates (p, p + d_head/2) is turned by the angle
/// position base^(-2p/d_head) (Su et al. 2021). For sequences longer than those of training,
/// positions may be divided by a factor (Chen et al. 2023), or the base multiplied by its power
/// d/(d-2), which leaves the fastest turn as it is and divides the slowest (bloc97 2023).
template <class Real>
class Rope final : public PositionEncoding<Real> {
 public:
  Rope(const Arguments& arguments, const LayerShape& shape)
      : Rope(arguments, shape, arguments.text("at") == "always") {
    if (arguments.text("at") == "evaluation" && arguments.text("scaling") != "none")
      evaluation_.reset(new Rope(arguments, shape, true));
  }

  const PositionEncoding<Real>& at_evaluation() const override {
    if (evaluation_) return *evaluation_;
    return *this;
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

  bool biased(Index) const override { return window_ > 0; }

  void add_bias(const Real*, Index, const BiasRow<Real>& row, Real* scores, Real*) const override {
    if (window_ > 0) hide_beyond(window_, row, scores);
  }

  Real bias_bound(const Real*, Index, const BiasRow<Real>& row) const override {
    return window_ > 0 ? hidden_bound(window_, row) : Real(0);
  }

  bool fades(Index) const override { return window_ > 0; }

 private:
  Rope(const Arguments& arguments, const LayerShape& shape, bool stretched)
      : shape_(shape), window_(static_cast<Position>(arguments.integer("window"))) {
    if (shape.d_head % 2 != 0)
      throw InputError("rope needs an even head width, not " + std::to_string(shape.d_head) +
                       "; change d_model, heads or head_width.");
    const std::string scaling = stretched ? arguments.text("scaling") : "none";
    const double factor = arguments.number("factor"), d = static_cast<double>(shape.d_head);
    double base = arguments.number("base");
    if (scaling == "ntk" && shape.d_head > 2) base *= math::pow(factor, d / (d - 2));
    for (Index pair = 0; pair < pairs(); ++pair)
      frequencies_.push_back(math::pow(base, -2.0 * static_cast<double>(pair) / d) /
                             (scaling == "linear" ? factor : 1));
    table_.resize(static_cast<std::size_t>(table_positions * pairs() * 2));
    for (Position position = 0; position < table_positions; ++position)
      fill(position, entry(position));
  }

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

  LayerShape shape_;
  Position window_;  // 0: none
  std::vector<double> frequencies_;
  std::vector<Real> table_;
  std::unique_ptr<Rope> evaluation_;  // where it differs
};

}  // namespace

namespace positions {
PositionEntry rope() {
  return PositionEntry::of<Rope>(
      {.name = "rope",
       .summary = "queries and keys turned by position",
       .formula = "pair p of the numbers of q and k turned by the angle i base^(-2p/d)",
       .source = "Su et al. 2021, arXiv 2104.09864",
       .parameters = {base_parameter(),
                      {.name = "scaling",
                       .help = "for longer sequences: linear divides positions by the factor, ntk "
                               "multiplies the base by its power d/(d-2)",
                       .default_value = "none",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"none", "linear", "ntk"}},
                      {.name = "factor",
                       .help = "of the scaling, e.g. a multiple of the training length",
                       .default_value = "1",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1,
                       .maximum = 1e6},
                      {.name = "at",
                       .help = "when it is scaled",
                       .default_value = "always",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"always", "evaluation"}},
                      {.name = "window",
                       .help = "every head sees the last so many tokens only; 0: all",
                       .default_value = "0",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 0,
                       .maximum = 1e9},
                      scaled_parameter("all"),
                      randomized_parameter()},
       .aliases = {{.name = "swan-gpt",
                    .text = "(nope~rope:window=16,scaled=unbiased~rope:window=16,scaled=unbiased~"
                            "rope:window=16,scaled=unbiased)",
                    .summary = "a layer without encoding, then three with windows and RoPE, in "
                               "turn; scalers scale the former (Puvvada et al. 2025, arXiv "
                               "2504.08719)"},
                   {.name = "rnope-swa",
                    .text = "(rope:window=16,scaled=unbiased~rope:window=16,scaled=unbiased~"
                            "rope:window=16,scaled=unbiased~nope)",
                    .summary = "three layers with windows and RoPE, then one without encoding, in "
                               "turn (Yang et al. 2025, arXiv 2501.18795)"}}});
}
}  // namespace positions
}  // namespace attnspan
