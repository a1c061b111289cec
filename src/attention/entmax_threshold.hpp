#pragma once

#include "ops/matrix.hpp"

namespace attnspan {

/// Finds the tau of alpha-entmax, p_j = [(alpha-1)(z_j - max z) - tau]_+^(1/(alpha-1)) with sum 1
/// (Peters, Niculae and Martins 2019), without sorting: a Newton search from the left that ends at
/// the exact root, in closed form per support for alpha 1.5 and 2.
template <class Real>
class EntmaxThreshold {
 public:
  /// alpha > 1.
  explicit EntmaxThreshold(double alpha);

  /// alpha - 1: scores are shifted by their maximum and multiplied by it.
  Real slope() const { return slope_; }

  /// Keys this far below the row's maximum, or farther, have weight exactly 0: 1/(alpha-1).
  Real reach() const { return 1 / slope_; }

  /// tau in [-1, 0) for count scores whose largest is `largest`. copies, where given, counts how
  /// often each stands in the row; a score with no copies is ignored.
  Real solve(const Real* scores, Index count, Real largest, const Real* copies = nullptr) const;

  /// [(alpha-1)(score - largest) - tau]_+^(1/(alpha-1)) for each score.
  void weights(const Real* scores, Index count, Real largest, Real tau, Real* weights) const;

  /// Replaces dweights by u (dweights - <u, dweights> / sum u), u = weights^(2-alpha) on the
  /// support.
  void backward(const Real* weights, Index count, Real* dweights) const;

 private:
  enum class Form { general, one_and_a_half, two };
  template <Form form, bool counted>
  Real search(const Real* scores, Index count, Real largest, const Real* copies) const;
  template <Form form>
  Real dispatch(const Real* scores, Index count, Real largest, const Real* copies) const;

  double alpha_;
  Real slope_;
  Form form_;
};

}  // namespace attnspan
