#pragma once

#include <span>
#include <string>

#include "ops/matrix.hpp"

namespace attnspan {

/// What one update of AdamW needs to know, the same for every number of a chunk.
struct AdamStep {
  float beta1, beta2;
  float clip;    ///< gradients are multiplied by it
  float pace;    ///< learning rate, the first moment's bias taken out
  float unbias;  ///< what takes out the second moment's
  float decay;   ///< weights are multiplied by it
};

/// Sums over the scores above a threshold tau, with excess = slope (score - largest) - tau.
struct ExcessSums {
  double count = 0, first = 0, second = 0;  ///< of 1, of the excess, of its square
};

/// The loops that the time goes into. What they return does not depend on the instruction set that
/// they were compiled for, as long as it has fused multiply-add: each element of a product is one
/// chain of multiply-adds in ascending order, and a sum over a row is that of sixteen (float) or
/// eight (double) lanes, joined in a fixed tree; sums of more than 512 numbers are continued in
/// double.
template <class Real>
struct Kernels {
  /// c = a b or c += a b, each factor as it is or transposed. last_seen: null, or as LastSeen
  /// of product.hpp; the matrix of queries by keys is c where b is transposed, else a. scratch:
  /// numbers enough by product_scratch for the inner dimension.
  void (*product)(MatrixView<const Real> a, bool a_transposed, MatrixView<const Real> b,
                  bool b_transposed, MatrixView<Real> c, bool add, const Index* last_seen,
                  Real* scratch);
  Index (*product_scratch)(Index depth);

  /// The largest of a row, not counting what is not a number; -infinity of none.
  Real (*largest)(const Real* values, Index count);
  /// Of those with copies alone.
  Real (*largest_present)(const Real* values, const Real* copies, Index count);
  double (*inner_product)(const Real* a, const Real* b, Index count);
  /// values *= factor.
  void (*scale)(Real* values, Index count, Real factor);
  /// into += from.
  void (*add)(const Real* from, Index count, Real* into);

  /// values = factor exp(scores - shift), of floats exponents above 88 taken as 88; returns their
  /// sum.
  double (*exponentials)(const Real* scores, Index count, Real shift, Real factor, Real* values);
  /// values = copies exp(min(0, scores - shift)); returns their sum.
  double (*counted_exponentials)(const Real* scores, const Real* copies, Index count, Real shift,
                                 Real* values);
  /// dweights = weights (dweights - <weights, dweights>).
  void (*softmax_backward)(const Real* weights, Index count, Real* dweights);

  /// copies may be null: each stands once.
  ExcessSums (*excess_sums)(const Real* scores, const Real* copies, Index count, Real slope,
                            Real largest, Real tau);
  /// weights = share excess^power, power 1 or 2.
  void (*excess_weights)(const Real* scores, Index count, Real slope, Real largest, Real tau,
                         Real share, int power, Real* weights);
  /// Writes to `kept` the scores above the floor, in order, and to `places` where they stood: their
  /// entries of `of`, or first, first + 1, ... where that is null. Returns how many. Both need room
  /// for `count` and sixteen more, and may be scores and of themselves.
  Index (*keep_above)(const Real* scores, const std::int32_t* of, std::int32_t first, Index count,
                      Real floor, Real* kept, std::int32_t* places);
  /// The same for the products of a vector with some rows: writes to `kept` those above the floor,
  /// and to `places`, which says which rows of `rows`, the places of these. Each product is one
  /// chain of multiply-adds in ascending order. Both need room for `count` and sixteen more;
  /// scratch: sixteen times `width` numbers.
  Index (*keep_products)(const Real* vector, Index width, const Real* rows, std::int32_t* places,
                         Index count, Real floor, Real* kept, Real* scratch);
  /// sums (`width` of them) += weights[k] times row places[k] of `rows`, each product rounded to
  /// Real, the sums in double and in order; weights of 0 are passed over.
  void (*add_weighted_rows)(const Real* weights, const std::int32_t* places, Index count,
                            const Real* rows, Index stride, Index width, double* sums);
  /// dweights = u (dweights - <u, dweights> / sum u), u = weights^(1/2) where rooted, else 1 where
  /// weights are above 0.
  void (*entmax_backward)(const Real* weights, Index count, bool rooted, Real* dweights);

  void (*gelu)(const Real* x, Index count, Real* y);
  void (*gelu_backward)(const Real* x, Index count, Real* dy);
  void (*rmsnorm)(MatrixView<const Real> x, const Real* gain, MatrixView<Real> y,
                  Real* inverse_rms);
  void (*rmsnorm_backward)(MatrixView<const Real> x, const Real* gain, const Real* inverse_rms,
                           MatrixView<const Real> dy, MatrixView<Real> dx, Real* dgain);

  /// scores[j] -= slope (query - keys[j]).
  void (*linear_bias)(Real slope, std::int32_t query, const std::int32_t* keys, Index count,
                      Real* scores);

  /// One update of `count` weights and their two moments.
  void (*adam)(const AdamStep& step, const Real* gradient, Index count, Real* first, Real* second,
               Real* weights);
  /// average = keep average + (1 - keep) values.
  void (*average)(const Real* values, Index count, Real keep, Real* average);
};

constexpr Index sifted = 64;  ///< columns of a block that `sift` looks at together

/// Where in a block byte k of column c lies: four of a column side by side, and the columns so that
/// the signs of their sums, narrowed from 32 bits to 8 a lane of 128 bits at a time, come in order.
constexpr Index sifted_place(Index c, Index k) {
  return k / 4 * 4 * sifted + c % 16 / 4 * 64 + (c / 16 * 4 + c % 4) * 4 + k % 4;
}

/// The kernels compiled for one instruction set.
struct Engine {
  const char* name;   ///< as it is asked for: "avx2"
  const char* title;  ///< as it is written about: "AVX2+FMA"
  bool fused;         ///< has fused multiply-add; all that have give the same numbers
  Kernels<float> single;
  Kernels<double> twice;

  /// For each of some rows of bytes (rows x depth, a multiple of four) and each block of 64 columns
  /// (blocks x 64 depth, the bytes of a block where sifted_place says): bit c of passed (rows x
  /// blocks) is whether starts[row] + the row's product with column c is below 0.
  void (*sift)(const std::int8_t* rows, const std::int32_t* starts, Index count,
               const std::uint8_t* columns, Index depth, Index blocks, std::uint64_t* passed);
  /// Lists which columns of one row passed, the last two blocks first and ascending within two
  /// blocks; returns how many. blocks: a multiple of sixteen, up to 64; places has room for all
  /// columns and one more.
  Index (*list_passed)(const std::uint64_t* passed, Index blocks, std::int32_t* places);
  /// Whether `sift` is faster than products of floats on this processor.
  bool (*sift_pays)();

  /// Multiply-adds of floats in registers and nothing else: what no loop on one core exceeds.
  /// Returns their sum, for the compiler not to leave them out.
  double (*multiply_adds)(Index rounds, float start);
  double flops_a_round;
};

/// Those that this program holds and this processor has, the widest last.
std::span<const Engine* const> engines();

/// The one in use: the widest, unless another was chosen.
const Engine& engine();

/// Chooses one by name, before any work is done. Throws InputError where the processor has none of
/// that name.
void choose_engine(const std::string& name);

template <class Real>
const Kernels<Real>& kernels() {
  if constexpr (std::is_same_v<Real, float>)
    return engine().single;
  else
    return engine().twice;
}

}  // namespace attnspan
