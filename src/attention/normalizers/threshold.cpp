#include "attention/threshold_attention.hpp"

namespace attnspan {
namespace {

/// Threshold attention of one view.
template <class Real>
class Threshold final : public ThresholdAttention<Real> {
 public:
  Threshold(const Arguments& arguments, const LayerShape& shape)
      : ThresholdAttention<Real>(
            {arguments.number("scale"), arguments.number("power"), shape.d_head},
            ThresholdView::first) {}
};

}  // namespace

namespace normalizers {
NormalizerEntry threshold() {
  return NormalizerEntry::of<Threshold>(
      {.name = "threshold",
       .summary = "keys count by how far their cosine is above a threshold that rises with length",
       .formula = "w_j = [cos(q, k_j) - b sqrt(2 log(i+1) / d_head)]_+^p",
       .source = "arXiv 2601.12145, one view",
       .parameters = threshold_parameters()});
}
}  // namespace normalizers
}  // namespace attnspan
