#include "attention/extra_softmax.hpp"

namespace attnspan {
namespace {

/// p_j = e^z_j / (e^a + sum e^z), a learned per head and 0 at the start.
template <class Real>
using SoftmaxSink = ExtraSoftmax<Real, true>;

}  // namespace

namespace normalizers {
NormalizerEntry softmax_sink() {
  return NormalizerEntry::of<SoftmaxSink>(
      {.name = "softmax-sink",
       .summary = "p = exp(z) / (exp(a) + sum exp(z)), a learned per head",
       .formula = "p_j = exp(z_j) / (exp(a) + sum exp(z))",
       .source = "OpenAI 2025, arXiv 2508.10925"});
}
}  // namespace normalizers
}  // namespace attnspan
