#include "attention/extra_softmax.hpp"

namespace attnspan {
namespace {

/// p_j = e^z_j / (1 + sum e^z).
template <class Real>
using SoftmaxOne = ExtraSoftmax<Real, false>;

}  // namespace

namespace normalizers {
NormalizerEntry softmax_one() {
  return NormalizerEntry::of<SoftmaxOne>(
      {.name = "softmax-one",
       .summary = "p = exp(z) / (1 + sum exp(z)): a head may attend to nothing",
       .formula = "p_j = exp(z_j) / (1 + sum exp(z))",
       .source = "Miller 2023, Attention is off by one"});
}
}  // namespace normalizers
}  // namespace attnspan
