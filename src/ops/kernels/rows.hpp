#pragma once

#include <cmath>

#include "ops/engine.hpp"
#include "ops/kernels/elementary.hpp"

namespace attnspan {
namespace {

template <class Real>
constexpr Real lowest_of_all = -std::numeric_limits<Real>::infinity();

/// Numbers that are summed in Real; sums of these are summed in double.
constexpr Index summed = 512;

/// The sum over j of what body(place) adds to the lanes.
template <class Real, class Body>
ATTNSPAN_INLINE inline double sum_lanes(Index count, const Body& body) {
  double total = 0;
  for (Index begin = 0; begin < count; begin += summed) {
    auto sum = Lanes<Real>::all(0);
    const Index length = count - begin < summed ? count - begin : summed;
    for_lanes<Real>(length, [&](auto place) ATTNSPAN_INLINE {
      place.at += begin;
      body(place, sum);
    });
    total += static_cast<double>(sum_of(sum));
  }
  return total;
}

template <class Real>
Real largest(const Real* values, Index count) {
  auto largest = Lanes<Real>::all(lowest_of_all<Real>);
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    largest = larger(load(values, place, lowest_of_all<Real>), largest);
  });
  return largest_of(largest);
}

template <class Real>
Real largest_present(const Real* values, const Real* copies, Index count) {
  const auto lowest = Lanes<Real>::all(lowest_of_all<Real>), zero = Lanes<Real>::all(0);
  auto largest = lowest;
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    const auto value = where_above(load(copies, place), zero, load(values, place), lowest);
    largest = larger(value, largest);
  });
  return largest_of(largest);
}

template <class Real>
double inner_product(const Real* a, const Real* b, Index count) {
  return sum_lanes<Real>(count, [&](auto place, Lanes<Real>& sum) ATTNSPAN_INLINE {
    sum = multiply_add(load(a, place), load(b, place), sum);
  });
}

template <class Real>
void scale(Real* values, Index count, Real factor) {
  const auto by = Lanes<Real>::all(factor);
  for_lanes<Real>(
      count, [&](auto place) ATTNSPAN_INLINE { store(load(values, place) * by, values, place); });
}

template <class Real>
void add(const Real* from, Index count, Real* into) {
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    store(load(into, place) + load(from, place), into, place);
  });
}

template <class Real>
double exponentials(const Real* scores, Index count, Real shift, Real factor, Real* values) {
  const auto by = Lanes<Real>::all(factor), down = Lanes<Real>::all(shift);
  return sum_lanes<Real>(count, [&](auto place, Lanes<Real>& sum) ATTNSPAN_INLINE {
    const auto value = by * exponential(load(scores, place, lowest_of_all<Real>) - down);
    store(value, values, place);
    sum = sum + value;
  });
}

template <class Real>
double counted_exponentials(const Real* scores, const Real* copies, Index count, Real shift,
                            Real* values) {
  const auto down = Lanes<Real>::all(shift), zero = Lanes<Real>::all(0);
  return sum_lanes<Real>(count, [&](auto place, Lanes<Real>& sum) ATTNSPAN_INLINE {
    const auto score = load(scores, place);
    const auto exponent = where_above(down, score, score - down, zero);
    const auto value = load(copies, place) * exponential(exponent);
    store(value, values, place);
    sum = sum + value;
  });
}

template <class Real>
void softmax_backward(const Real* weights, Index count, Real* dweights) {
  const auto inner = Lanes<Real>::all(static_cast<Real>(inner_product(weights, dweights, count)));
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    store(load(weights, place) * (load(dweights, place) - inner), dweights, place);
  });
}

/// slope (score - largest) - tau, and 0 where that is below.
template <class Real>
struct Excess {
  Lanes<Real> slope, largest, minus_tau, zero = Lanes<Real>::all(0);

  Excess(Real slope_, Real largest_, Real tau)
      : slope(Lanes<Real>::all(slope_)),
        largest(Lanes<Real>::all(largest_)),
        minus_tau(Lanes<Real>::all(-tau)) {}

  ATTNSPAN_INLINE Lanes<Real> operator()(const Lanes<Real>& score) const {
    return larger(multiply_add(slope, score - largest, minus_tau), zero);
  }
};

template <bool counted, class Real>
ATTNSPAN_INLINE inline ExcessSums excess_sums_of(const Real* scores, const Real* copies,
                                                 Index count, const Excess<Real>& excess) {
  ExcessSums total;
  for (Index begin = 0; begin < count; begin += summed) {
    auto n = excess.zero, first = excess.zero, second = excess.zero;
    const Index length = count - begin < summed ? count - begin : summed;
    for_lanes<Real>(length, [&](auto place) ATTNSPAN_INLINE {
      place.at += begin;
      const auto above = excess(load(scores, place, lowest_of_all<Real>));
      const auto copy = counted ? load(copies, place) : Lanes<Real>::all(1);
      n = n + where_above(above, excess.zero, copy, excess.zero);
      const auto part = counted ? copy * above : above;
      first = first + part;
      second = multiply_add(part, above, second);
    });
    total.count += static_cast<double>(sum_of(n));
    total.first += static_cast<double>(sum_of(first));
    total.second += static_cast<double>(sum_of(second));
  }
  return total;
}

template <class Real>
ExcessSums excess_sums(const Real* scores, const Real* copies, Index count, Real slope,
                       Real largest, Real tau) {
  const Excess<Real> excess(slope, largest, tau);
  return copies ? excess_sums_of<true>(scores, copies, count, excess)
                : excess_sums_of<false>(scores, copies, count, excess);
}

template <class Real>
void excess_weights(const Real* scores, Index count, Real slope, Real largest, Real tau, Real share,
                    int power, Real* weights) {
  const Excess<Real> excess(slope, largest, tau);
  const auto by = Lanes<Real>::all(share);
  const auto write = [&](auto raised) ATTNSPAN_INLINE {
    for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
      store(raised(excess(load(scores, place))) * by, weights, place);
    });
  };
  if (power == 2)
    write([](const Lanes<Real>& above) ATTNSPAN_INLINE { return above * above; });
  else
    write([](const Lanes<Real>& above) ATTNSPAN_INLINE { return above; });
}

template <class Real>
void entmax_backward(const Real* weights, Index count, bool rooted, Real* dweights) {
  const auto zero = Lanes<Real>::all(0), one = Lanes<Real>::all(1);
  const auto replace = [&](auto u_of) ATTNSPAN_INLINE {
    // A root takes as long as ten multiply-adds: those of the first keys are kept.
    constexpr Index most_kept = 2 * summed;
    alignas(64) Real kept[most_kept];
    double total = 0, inner = 0;
    for (Index begin = 0; begin < count; begin += summed) {
      auto sum = zero, product = zero;
      const Index length = count - begin < summed ? count - begin : summed;
      for_lanes<Real>(length, [&](auto place) ATTNSPAN_INLINE {
        place.at += begin;
        const auto u = u_of(load(weights, place));
        if (begin < most_kept) store(u, kept, place);
        sum = sum + u;
        product = multiply_add(u, load(dweights, place), product);
      });
      total += static_cast<double>(sum_of(sum));
      inner += static_cast<double>(sum_of(product));
    }
    const auto mean = Lanes<Real>::all(static_cast<Real>(inner / total));
    const auto write = [&](auto place, const Lanes<Real>& u) ATTNSPAN_INLINE {
      store(u * (load(dweights, place) - mean), dweights, place);
    };
    const Index near = count < most_kept ? count : most_kept;
    for_lanes<Real>(near, [&](auto place) ATTNSPAN_INLINE { write(place, load(kept, place)); });
    for_lanes<Real>(count - near, [&](auto place) ATTNSPAN_INLINE {
      place.at += near;
      write(place, u_of(load(weights, place)));
    });
  };
  if (rooted)
    replace([&](const Lanes<Real>& weight) ATTNSPAN_INLINE { return square_root(weight); });
  else
    replace([&](const Lanes<Real>& weight)
                ATTNSPAN_INLINE { return where_above(weight, zero, one, zero); });
}

constexpr double twice_root_two_over_pi = 1.5957691216057308;
constexpr double cubic = 0.044715;

/// sigmoid of the inner polynomial: gelu(x) = x gate(x).
template <class Real>
ATTNSPAN_INLINE inline Lanes<Real> gate(const Lanes<Real>& x) {
  using L = Lanes<Real>;
  const L bend = multiply_add(x * x, L::all(Real(-twice_root_two_over_pi * cubic)),
                              L::all(Real(-twice_root_two_over_pi)));
  return L::all(1) / (L::all(1) + exponential(x * bend));
}

template <class Real>
void gelu(const Real* x, Index count, Real* y) {
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    const auto in = load(x, place);
    store(in * gate(in), y, place);
  });
}

template <class Real>
void gelu_backward(const Real* x, Index count, Real* dy) {
  using L = Lanes<Real>;
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    const L in = load(x, place), open = gate(in);
    const L slope = multiply_add(in * in, L::all(Real(3 * twice_root_two_over_pi * cubic)),
                                 L::all(Real(twice_root_two_over_pi)));
    const L bend = multiply_add(in * (L::all(1) - open), slope, L::all(1));
    store(load(dy, place) * (open * bend), dy, place);
  });
}

template <class Real>
void rmsnorm(MatrixView<const Real> x, const Real* gain, MatrixView<Real> y, Real* inverse_rms) {
  constexpr double epsilon = 1e-6;
  const Index d = x.cols;
  for (Index i = 0; i < x.rows; ++i) {
    const Real* in = x.row(i);
    Real* out = y.row(i);
    const auto squares = static_cast<Real>(inner_product(in, in, d));
    // Of squares that overflow the scale would be 0 and the row would look healthy: a model gone
    // bad has to show.
    const Real scale =
        std::isfinite(squares)
            ? static_cast<Real>(
                  1 / std::sqrt(static_cast<double>(squares) / static_cast<double>(d) + epsilon))
            : std::numeric_limits<Real>::quiet_NaN();
    inverse_rms[i] = scale;
    const auto by = Lanes<Real>::all(scale);
    for_lanes<Real>(d, [&](auto place) ATTNSPAN_INLINE {
      store(load(in, place) * by * load(gain, place), out, place);
    });
  }
}

template <class Real>
void rmsnorm_backward(MatrixView<const Real> x, const Real* gain, const Real* inverse_rms,
                      MatrixView<const Real> dy, MatrixView<Real> dx, Real* dgain) {
  const Index d = x.cols;
  for (Index i = 0; i < x.rows; ++i) {
    const Real* in = x.row(i);
    const Real* out = dy.row(i);
    Real* din = dx.row(i);
    const auto scale = Lanes<Real>::all(inverse_rms[i]);
    // With h = x scale: dx = scale (g dy - h mean(h g dy)).
    const double inner = sum_lanes<Real>(d, [&](auto place, Lanes<Real>& sum) ATTNSPAN_INLINE {
      const auto share = load(out, place) * load(in, place) * scale;
      store(load(dgain, place) + share, dgain, place);
      sum = multiply_add(share, load(gain, place), sum);
    });
    const auto pull = Lanes<Real>::all(
        -static_cast<Real>(inner * static_cast<double>(inverse_rms[i]) *
                           static_cast<double>(inverse_rms[i]) / static_cast<double>(d)));
    for_lanes<Real>(d, [&](auto place) ATTNSPAN_INLINE {
      const auto straight = load(out, place) * load(gain, place) * scale;
      store(load(din, place) + multiply_add(load(in, place), pull, straight), din, place);
    });
  }
}

template <class Real>
void linear_bias(Real slope, std::int32_t query, const std::int32_t* keys, Index count,
                 Real* scores) {
  // Distances to the first key are whole numbers below 2^31, each exact or rounded once.
  for (Index j = 0; j < count; ++j) scores[j] -= slope * static_cast<Real>(query - keys[j]);
}

template <class Real>
void adam(const AdamStep& step, const Real* gradient, Index count, Real* first, Real* second,
          Real* weights) {
  using L = Lanes<Real>;
  const L clip = L::all(step.clip), pace = L::all(-step.pace), unbias = L::all(step.unbias),
          decay = L::all(step.decay), epsilon = L::all(Real(1e-8)), beta1 = L::all(step.beta1),
          beta2 = L::all(step.beta2), rest1 = L::all(1 - step.beta1),
          rest2 = L::all(1 - step.beta2);
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    const L g = load(gradient, place) * clip;
    const L m = multiply_add(beta1, load(first, place), rest1 * g);
    const L v = multiply_add(beta2, load(second, place), rest2 * g * g);
    store(m, first, place);
    store(v, second, place);
    const L move = pace * m / (square_root(v * unbias) + epsilon);
    store(multiply_add(load(weights, place), decay, move), weights, place);
  });
}

template <class Real>
void average(const Real* values, Index count, Real keep, Real* average) {
  const auto kept = Lanes<Real>::all(keep), taken = Lanes<Real>::all(1 - keep);
  for_lanes<Real>(count, [&](auto place) ATTNSPAN_INLINE {
    store(multiply_add(kept, load(average, place), taken * load(values, place)), average, place);
  });
}

}  // namespace
}  // namespace attnspan
