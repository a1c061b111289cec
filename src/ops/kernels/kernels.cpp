// Compiled once for each instruction set, with ATTNSPAN_ENGINE as the name of what it defines.

#include "ops/engine.hpp"
#include "ops/kernels/kept.hpp"
#include "ops/kernels/peak.hpp"
#include "ops/kernels/product.hpp"
#include "ops/kernels/rows.hpp"
#include "ops/kernels/sift.hpp"

namespace attnspan {
namespace {

template <class Real>
constexpr Kernels<Real> all_kernels() {
  return {.product = multiply<Real>,
          .product_scratch = product_scratch<Real>,
          .largest = largest<Real>,
          .largest_present = largest_present<Real>,
          .inner_product = inner_product<Real>,
          .scale = scale<Real>,
          .add = add<Real>,
          .exponentials = exponentials<Real>,
          .counted_exponentials = counted_exponentials<Real>,
          .softmax_backward = softmax_backward<Real>,
          .excess_sums = excess_sums<Real>,
          .excess_weights = excess_weights<Real>,
          .keep_above = keep_above<Real>,
          .keep_products = keep_products<Real>,
          .add_weighted_rows = add_weighted_rows<Real>,
          .entmax_backward = entmax_backward<Real>,
          .gelu = gelu<Real>,
          .gelu_backward = gelu_backward<Real>,
          .rmsnorm = rmsnorm<Real>,
          .rmsnorm_backward = rmsnorm_backward<Real>,
          .linear_bias = linear_bias<Real>,
          .adam = adam<Real>,
          .average = average<Real>};
}

}  // namespace

extern const Engine ATTNSPAN_ENGINE;
const Engine ATTNSPAN_ENGINE = {
#if defined(__AVX512F__)
    "avx512",
    "AVX-512",
    true,
#elif defined(__AVX2__)
    "avx2",
    "AVX2+FMA",
    true,
#elif defined(__x86_64__)
    "sse2",
    "SSE2 without fused multiply-add",
    false,
#elif defined(__ARM_NEON)
    "neon",
    "NEON",
    true,
#else
    "plain",
    "no vectors",
    false,
#endif
    all_kernels<float>(),
    all_kernels<double>(),
    sift,
    list_passed,
    sift_pays,
    multiply_adds,
    flops_a_round};

}  // namespace attnspan
