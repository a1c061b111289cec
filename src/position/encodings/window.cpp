#include <limits>

#include "position/position.hpp"
#include "position/scaled_heads.hpp"

namespace attnspan {
namespace {

/// Every head sees the last `size` tokens, the row's own among them, and nothing else.
template <class Real>
class Window final : public PositionEncoding<Real> {
 public:
  Window(const Arguments& arguments, const PositionShape&)
      : size_(static_cast<Position>(arguments.integer("size"))) {}

  bool biased(Index) const override { return true; }

  void add_bias(const Real*, Index, const BiasRow<Real>& row, Real* scores, Real*) const override {
    for (Index j = 0; j < row.count && row.query - row.keys[j] >= size_; ++j) scores[j] = hidden;
  }

  Real bias_bound(const Real*, Index, const BiasRow<Real>& row) const override {
    return row.query - row.keys[row.count - 1] >= size_ ? hidden : Real(0);
  }

 private:
  static constexpr Real hidden = -std::numeric_limits<Real>::infinity();
  Position size_;
};

}  // namespace

namespace positions {
PositionEntry window() {
  return PositionEntry::of<Window>({.name = "window",
                                    .summary = "every head sees the last tokens only",
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
