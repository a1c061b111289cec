#include <string>

#include "core/error.hpp"
#include "position/hidden.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {
namespace {

/// Near head h = 0, 1, ... sees the last h + 1 tokens, the row's own among them; the other heads
/// have no encoding (Jelassi et al. 2024).
template <class Real>
class HardAlibi final : public PositionEncoding<Real> {
 public:
  HardAlibi(const Arguments& arguments, const LayerShape& shape)
      : near_(arguments.text("near") == "half" ? shape.heads / 2 : arguments.integer("near")) {
    if (near_ > shape.heads)
      throw InputError("hard-alibi: near=" + std::to_string(near_) + " is more than the " +
                       std::to_string(shape.heads) + " heads; lower near or raise heads.");
  }

  bool biased(Index head) const override { return head < near_; }

  void add_bias(const Real*, Index head, const BiasRow<Real>& row, Real* scores,
                Real*) const override {
    if (biased(head)) hide_beyond(seen(head), row, scores);
  }

  Real bias_bound(const Real*, Index head, const BiasRow<Real>& row) const override {
    return biased(head) ? hidden_bound(seen(head), row) : Real(0);
  }

  bool fades(Index head) const override { return biased(head); }

 private:
  static Position seen(Index head) { return static_cast<Position>(head + 1); }
  Index near_;
};

}  // namespace

namespace positions {
PositionEntry hard_alibi() {
  return PositionEntry::of<HardAlibi>(
      {.name = "hard-alibi",
       .summary = "near head h sees the last h tokens, the other heads have no encoding",
       .formula = "z_ij where i - j < h for near head h = 1, 2, ..., else no attention",
       .source = "Jelassi et al. 2024, arXiv 2402.01032",
       .parameters = {{.name = "near",
                       .help = "number of heads that see the last tokens only",
                       .default_value = "half",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 0,
                       .maximum = 1024,
                       .choices = {"half"}},
                      scaled_parameter("unbiased")}});
}
}  // namespace positions
}  // namespace attnspan
