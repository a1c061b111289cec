#include "attention/entmax_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attnspan {
namespace {

/// Over the scores above tau: how many there are, and the sums of their excess (excess^1 for alpha
/// 2), and of its square. Long rows are summed in blocks, so that a float sum of 65,536 terms keeps
/// its digits.
struct Sums {
  double count = 0, first = 0, second = 0;
};

template <bool counted, class Real>
Sums sums_above(const Real* scores, Index count, Real slope, Real largest, Real tau,
                const Real* copies) {
  constexpr Index block = 512;
  Sums total;
  for (Index begin = 0; begin < count; begin += block) {
    const Index end = std::min(count, begin + block);
    Real n = 0, first = 0, second = 0;
#pragma omp simd reduction(+ : n, first, second)
    for (Index j = begin; j < end; ++j) {
      const Real raw = slope * (scores[j] - largest) - tau;
      const Real excess = raw > 0 ? raw : Real(0);
      const Real copy = counted ? copies[j] : Real(1);
      n += raw > 0 ? copy : Real(0);
      first += copy * excess;
      second += copy * excess * excess;
    }
    total.count += static_cast<double>(n);
    total.first += static_cast<double>(first);
    total.second += static_cast<double>(second);
  }
  return total;
}

}  // namespace

template <class Real>
EntmaxThreshold<Real>::EntmaxThreshold(double alpha)
    : alpha_(alpha),
      slope_(static_cast<Real>(alpha - 1)),
      form_(alpha == 1.5 ? Form::one_and_a_half : (alpha == 2 ? Form::two : Form::general)) {}

// f(tau) = sum [d_j - tau]_+^e - 1 with d_j = slope (z_j - max) <= 0 falls from f(-1) >= 0; its
// root is tau. For e >= 1 it is convex, so a Newton step from the left never passes the root, and
// one from the right lands left of it. Where the excesses enter linearly (alpha 2) the step is
// exact for the present support, so the search ends when the support stays; where they enter
// squared (alpha 1.5) the exact step solves a quadratic and may pass the root, after which Newton
// leads back.
template <class Real>
template <typename EntmaxThreshold<Real>::Form form, bool counted>
Real EntmaxThreshold<Real>::search(const Real* scores, Index count, Real largest,
                                   const Real* copies) const {
  if constexpr (form == Form::general) {
    // Bracketed Newton in double: excesses are raised to powers up to 1/(alpha-1).
    const double power = 1 / (alpha_ - 1);
    double low = -1, high = 0, tau = -1;
    for (int step = 0; step < 200; ++step) {
      double sum = -1, slope = 0;
      for (Index j = 0; j < count; ++j) {
        const double copy = counted ? static_cast<double>(copies[j]) : 1.0;
        const double excess = (alpha_ - 1) * static_cast<double>(scores[j] - largest) - tau;
        if (excess <= 0 || copy <= 0) continue;
        const double raised = copy * std::pow(excess, power);
        sum += raised;
        slope += power * raised / excess;
      }
      (sum >= 0 ? low : high) = tau;
      double next = tau + sum / slope;
      if (!(next > low && next < high)) next = low + (high - low) / 2;
      if (next == tau || high - low <= 4e-16) break;
      const bool settled = std::abs(next - tau) <= 1e-16 * std::abs(tau);
      tau = next;
      if (settled) break;
    }
    return static_cast<Real>(tau);
  } else {
    Real low = -1, tau = -1;
    double previous = 2;
    for (int step = 0; step < 100; ++step) {
      const Sums sums = sums_above<counted>(scores, count, slope_, largest, tau, copies);
      double move;
      if constexpr (form == Form::two) {
        move = (sums.first - 1) / sums.count;
      } else {
        const double excess = sums.second - 1;
        if (excess >= 0) low = std::max(low, tau);
        const double inside = sums.first * sums.first - sums.count * excess;
        move = inside >= 0 ? excess / (sums.first + std::sqrt(inside)) : excess / (2 * sums.first);
      }
      tau = std::max(low, tau + static_cast<Real>(move));
      // Moves shrink quadratically until only the rounding of the sums is left of them.
      const double size = std::abs(move / static_cast<double>(tau));
      if (size <= std::numeric_limits<Real>::epsilon() || (size < 1e-4 && size >= previous)) break;
      previous = size;
    }
    return tau;
  }
}

template <class Real>
template <typename EntmaxThreshold<Real>::Form form>
Real EntmaxThreshold<Real>::dispatch(const Real* scores, Index count, Real largest,
                                     const Real* copies) const {
  return copies ? search<form, true>(scores, count, largest, copies)
                : search<form, false>(scores, count, largest, copies);
}

template <class Real>
Real EntmaxThreshold<Real>::solve(const Real* scores, Index count, Real largest,
                                  const Real* copies) const {
  switch (form_) {
    case Form::one_and_a_half:
      return dispatch<Form::one_and_a_half>(scores, count, largest, copies);
    case Form::two:
      return dispatch<Form::two>(scores, count, largest, copies);
    default:
      return dispatch<Form::general>(scores, count, largest, copies);
  }
}

template <class Real>
void EntmaxThreshold<Real>::weights(const Real* scores, Index count, Real largest, Real tau,
                                    Real* weights) const {
  if (form_ == Form::one_and_a_half) {
#pragma omp simd
    for (Index j = 0; j < count; ++j) {
      const Real raw = slope_ * (scores[j] - largest) - tau;
      const Real excess = raw > 0 ? raw : Real(0);
      weights[j] = excess * excess;
    }
  } else if (form_ == Form::two) {
#pragma omp simd
    for (Index j = 0; j < count; ++j) {
      const Real raw = slope_ * (scores[j] - largest) - tau;
      weights[j] = raw > 0 ? raw : Real(0);
    }
  } else {
    const double power = 1 / (alpha_ - 1);
    for (Index j = 0; j < count; ++j) {
      const double excess =
          (alpha_ - 1) * static_cast<double>(scores[j] - largest) - static_cast<double>(tau);
      weights[j] = excess > 0 ? static_cast<Real>(std::pow(excess, power)) : Real(0);
    }
  }
}

template <class Real>
void EntmaxThreshold<Real>::backward(const Real* weights, Index count, Real* dweights) const {
  if (form_ == Form::general) {
    const auto power = static_cast<Real>(2 - alpha_);
    Real inner = 0, sum = 0;
    for (Index j = 0; j < count; ++j) {
      const Real u = weights[j] > 0 ? std::pow(weights[j], power) : Real(0);
      inner += u * dweights[j];
      sum += u;
    }
    const Real mean = inner / sum;
    for (Index j = 0; j < count; ++j) {
      const Real u = weights[j] > 0 ? std::pow(weights[j], power) : Real(0);
      dweights[j] = u * (dweights[j] - mean);
    }
    return;
  }
  const bool rooted = form_ == Form::one_and_a_half;
  const auto u_of = [rooted](Real weight) {
    return rooted ? std::sqrt(weight) : (weight > 0 ? Real(1) : Real(0));
  };
  Real inner = 0, sum = 0;
#pragma omp simd reduction(+ : inner, sum)
  for (Index j = 0; j < count; ++j) {
    const Real u = u_of(weights[j]);
    inner += u * dweights[j];
    sum += u;
  }
  const Real mean = inner / sum;
#pragma omp simd
  for (Index j = 0; j < count; ++j) dweights[j] = u_of(weights[j]) * (dweights[j] - mean);
}

template class EntmaxThreshold<float>;
template class EntmaxThreshold<double>;

}  // namespace attnspan
