#include <cmath>

#include "core/mathematics.hpp"
#include "position/position.hpp"
#include "position/randomized.hpp"
#include "position/turns.hpp"

namespace attnspan {
namespace {

/// Sines and cosines of position base^(-2c/d), in turn, added to the embedding (Vaswani et al.
/// 2017), of the size that embeddings start with.
template <class Real>
class Sinusoidal final : public PositionEncoding<Real> {
 public:
  Sinusoidal(const Arguments& arguments, const LayerShape& shape)
      : d_model_(shape.d_model()),
        base_(arguments.number("base")),
        size_(arguments.number("size") * std::sqrt(2.0)) {}

  bool embeds() const override { return true; }

  void embed(const Real*, const Position* positions, MatrixView<Real> stream) const override {
    for (Index c = 0; c < d_model_; ++c) {
      const double frequency =
          math::pow(base_, -static_cast<double>(c / 2 * 2) / static_cast<double>(d_model_));
      for (Index i = 0; i < stream.rows; ++i) {
        const double angle = positions[i] * frequency;
        stream.row(i)[c] +=
            static_cast<Real>(size_ * (c % 2 == 0 ? math::sin(angle) : math::cos(angle)));
      }
    }
  }

 private:
  Index d_model_;
  double base_, size_;
};

}  // namespace

namespace positions {
PositionEntry sinusoidal() {
  return PositionEntry::of<Sinusoidal>(
      {.name = "sinusoidal",
       .summary = "sines and cosines of the position added to the embedding",
       .formula = "x_i + size sqrt(2) (sin(i base^(-2c/d)), cos(i base^(-2c/d)))",
       .source = "Vaswani et al. 2017, arXiv 1706.03762",
       .parameters = {{.name = "size",
                       .help = "root mean square of what is added; embeddings start with 0.02",
                       .default_value = "0.02",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = 1e-6,
                       .maximum = 1000},
                      base_parameter(),
                      randomized_parameter()}});
}
}  // namespace positions
}  // namespace attnspan
