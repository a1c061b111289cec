#include <string>

#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "position/linear_bias.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {
namespace {

/// NoPE and ALiBi in one layer: the near heads, half of them by default, have linear biases with
/// slopes 1, 1/2, 1/3, ...; the others have no encoding and are those that scalers scale (the
/// paper's NAPE, arXiv 2506.16640).
template <class Real>
class Nape final : public PositionEncoding<Real> {
 public:
  Nape(const Arguments& arguments, const LayerShape& shape) {
    const Index near =
        arguments.text("near") == "half" ? shape.heads / 2 : arguments.integer("near");
    if (near > shape.heads)
      throw InputError("nape: near=" + std::to_string(near) + " is more than the " +
                       std::to_string(shape.heads) + " heads; lower near or raise heads.");
    std::vector<double> geometric;
    for (Index head = 0; head < near; ++head)
      geometric.push_back(math::exp2(-static_cast<double>(head)));
    for (const double slope : linear_slopes("nape", arguments, geometric))
      slopes_.push_back(static_cast<Real>(slope));
  }

  bool biased(Index head) const override { return head < static_cast<Index>(slopes_.size()); }

  void add_bias(const Real*, Index head, const BiasRow<Real>& row, Real* scores,
                Real*) const override {
    if (biased(head)) add_linear_bias(slope(head), row, scores);
  }

  Real bias_bound(const Real*, Index head, const BiasRow<Real>& row) const override {
    return biased(head) ? linear_bias_bound(slope(head), row) : Real(0);
  }

  bool fades(Index head) const override { return biased(head); }

 private:
  Real slope(Index head) const { return slopes_[static_cast<std::size_t>(head)]; }
  std::vector<Real> slopes_;  // of the near heads, which come first
};

}  // namespace

namespace positions {
PositionEntry nape() {
  return PositionEntry::of<Nape>(
      {.name = "nape",
       .summary = "near heads with linear distance bias, the other heads without encoding",
       .formula = "z_ij - m_h (i - j) for near heads, z_ij for the others",
       .source = "arXiv 2506.16640",
       .parameters = {{.name = "near",
                       .help = "number of heads with a distance bias",
                       .default_value = "half",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 0,
                       .maximum = 1024,
                       .choices = {"half"}},
                      slopes_parameter("harmonic", "2^(1-h)"),
                      scaled_parameter("unbiased")}});
}
}  // namespace positions
}  // namespace attnspan
