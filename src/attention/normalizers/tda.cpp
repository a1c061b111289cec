#include "attention/threshold_attention.hpp"

namespace attnspan {
namespace {

/// Threshold attention of two views: each has queries and keys of its own, and what the second
/// attends to is subtracted, times a share l learned per head.
template <class Real>
class Tda final : public ThresholdAttention<Real> {
 public:
  Tda(const Arguments& arguments, const LayerShape& shape)
      : Tda({arguments.number("scale"), arguments.number("power"), shape.d_head}) {}

  Index parameters_per_head() const override { return 1; }
  double initial_parameter(Index) const override { return 0.5; }
  Index views() const override { return 2; }
  const Normalizer<Real>& of_view(Index view) const override {
    if (view == 0) return *this;
    return second_;
  }

 private:
  explicit Tda(const ThresholdRule& rule)
      : ThresholdAttention<Real>(rule, ThresholdView::first),
        second_(rule, ThresholdView::second) {}

  ThresholdAttention<Real> second_;
};

}  // namespace

namespace normalizers {
NormalizerEntry tda() {
  return NormalizerEntry::of<Tda>(
      {.name = "tda",
       .summary = "threshold attention of two views, the second subtracted",
       .formula =
           "w_j of threshold, less clamp(l, 0, 1) times that of a second query and key; l is "
           "learned per head, from 0.5",
       .source = "arXiv 2601.12145",
       .parameters = threshold_parameters()});
}
}  // namespace normalizers
}  // namespace attnspan
