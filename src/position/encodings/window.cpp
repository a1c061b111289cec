#include "position/hidden.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {
namespace {

/// Every head sees the last `size` tokens, the row's own among them, and nothing else.
template <class Real>
class Window final : public PositionEncoding<Real> {
 public:
  explicit Window(const Arguments& arguments)
      : size_(static_cast<Position>(arguments.integer("size"))) {}

  bool biased(Index) const override { return true; }

  void add_bias(const Real*, Index, const BiasRow<Real>& row, Real* scores, Real*) const override {
    hide_beyond(size_, row, scores);
  }

  Real bias_bound(const Real*, Index, const BiasRow<Real>& row) const override {
    return hidden_bound(size_, row);
  }

  bool fades(Index) const override { return true; }

 private:
  Position size_;
};

}  // namespace

namespace positions {
PositionEntry window() {
  return PositionEntry::of<Window>({.name = "window",
                                    .summary = "every head sees the last tokens only",
                                    .formula = "z_ij where i - j < size, else no attention",
                                    .source = "Beltagy, Peters and Cohan 2020, arXiv 2004.05150",
                                    .parameters = {{.name = "size",
                                                    .help = "tokens, the row's own among them",
                                                    .default_value = "64",
                                                    .kind = ParameterSpec::Kind::integer,
                                                    .minimum = 1,
                                                    .maximum = 1e9},
                                                   scaled_parameter("unbiased")}});
}
}  // namespace positions
}  // namespace attnspan
