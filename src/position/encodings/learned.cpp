#include "position/position.hpp"
#include "position/randomized.hpp"

namespace attnspan {
namespace {

/// A vector learned for each position, added to the embedding (Gehring et al. 2017; GPT-2). Those
/// beyond the longest training sample stay as they start.
template <class Real>
class Learned final : public PositionEncoding<Real> {
 public:
  Learned(const Arguments& arguments, const LayerShape& shape)
      : positions_(static_cast<Position>(arguments.integer("positions"))),
        d_model_(shape.d_model()) {}

  Position known_positions() const override { return positions_; }
  bool embeds() const override { return true; }
  std::vector<TensorSpec> embedding_tensors() const override {
    return {{"embedding", positions_, d_model_, 0, 0.02}};
  }

  void embed(const Real* parameters, const Position* positions,
             MatrixView<Real> stream) const override {
    for (Index i = 0; i < stream.rows; ++i)
      for (Index c = 0; c < d_model_; ++c)
        stream.row(i)[c] += parameters[positions[i] * d_model_ + c];
  }

  void embed_backward(const Position* positions, ConstMatrixView<Real> dstream,
                      Real* dparameters) const override {
    for (Index i = 0; i < dstream.rows; ++i)
      for (Index c = 0; c < d_model_; ++c)
        dparameters[positions[i] * d_model_ + c] += dstream.row(i)[c];
  }

 private:
  Position positions_;
  Index d_model_;
};

}  // namespace

namespace positions {
PositionEntry learned() {
  return PositionEntry::of<Learned>(
      {.name = "learned",
       .summary = "a vector learned for each position, added to the embedding",
       .formula = "x_i + e_i",
       .source = "Gehring et al. 2017, arXiv 1705.03122",
       .parameters = {{.name = "positions",
                       .help = "how many; longer sequences are refused",
                       .default_value = "2048",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 1,
                       .maximum = 1 << 24},
                      randomized_parameter()}});
}
}  // namespace positions
}  // namespace attnspan
