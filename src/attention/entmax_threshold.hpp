#pragma once

#include <span>

#include "ops/matrix.hpp"

namespace attnspan {

/// What tells every weight of a row from its score alone.
template <class Real>
struct EntmaxSolution {
  Real reference = 0;  ///< a score of the row
  Real edge = 0;       ///< for alpha 1.5 and 2 tau, else the weight that the reference has
  Real share = 0;      ///< 1 over what the weights would sum to without it
};

/// Finds the tau of alpha-entmax, p_j = [(alpha-1)(z_j - max z) - tau]_+^(1/(alpha-1)) with sum 1
/// (Peters, Niculae and Martins 2019). For alpha 1.5 and 2 without sorting, by Newton steps that
/// are exact for a support. For any other alpha tau is not looked for itself: of n equal scores it
/// is -n^(1-alpha), which no floating-point format holds for large alpha, and above 2 a key at the
/// edge of the support takes its weight from digits of tau that none has.
template <class Real>
class EntmaxThreshold {
 public:
  /// 1 < alpha <= 64.
  explicit EntmaxThreshold(double alpha);

  double alpha() const { return alpha_; }

  /// The solution for count scores whose largest is `largest`. copies, where given, counts how
  /// often each stands in the row; a score with no copies is ignored.
  EntmaxSolution<Real> solve(const Real* scores, Index count, Real largest,
                             const Real* copies = nullptr) const;

  /// The solutions of several rows, scores[i] of counts[i] keys, their largest as `reference` in
  /// solutions[i]: sooner than one after the other.
  void solve_rows(std::span<const Real* const> scores, const Index* counts,
                  EntmaxSolution<Real>* solutions) const;

  /// The weight of each score; they sum to 1 within the rounding of Real.
  void weights(const Real* scores, Index count, const EntmaxSolution<Real>& solution,
               Real* weights) const;

  /// A score at which the weight is certainly 0, as it is at every lower one; keys that arrive
  /// later can only raise it.
  Real floor(const EntmaxSolution<Real>& solution) const;

  /// The same before anything is known but the largest score: 1/(alpha-1) below it.
  Real floor(Real largest) const { return floor_at(largest, Real(-1)); }

  /// Replaces dweights by u (dweights - <u, dweights> / sum u), u = weights^(2-alpha) on the
  /// support.
  void backward(const Real* weights, Index count, Real* dweights) const;

 private:
  enum class Form { below_two, above_two, one_and_a_half, two };
  template <Form form>
  class Search;
  EntmaxSolution<Real> search_largest(const Real* scores, Index count, Real largest,
                                      const Real* copies) const;
  EntmaxSolution<Real> search_edge(const Real* scores, Index count, Real largest,
                                   const Real* copies) const;
  void backward_by_power(const Real* weights, Index count, Real* dweights) const;
  Real floor_at(Real reference, Real excess) const;

  double alpha_;
  Real slope_;  // alpha - 1: scores are shifted by their maximum and multiplied by it
  Form form_;
};

}  // namespace attnspan
