#include "attention/entmax_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/mathematics.hpp"
#include "ops/engine.hpp"

namespace attnspan {
template <class Real>
EntmaxThreshold<Real>::EntmaxThreshold(double alpha)
    : alpha_(alpha),
      slope_(static_cast<Real>(alpha - 1)),
      form_(alpha == 1.5
                ? Form::one_and_a_half
                : (alpha == 2 ? Form::two : (alpha < 2 ? Form::below_two : Form::above_two))) {}

// f(tau) = sum [d_j - tau]_+^e - 1 with d_j = slope (z_j - max) <= 0 falls from f(-1) >= 0; its
// root is tau. For e >= 1 it is convex, so a Newton step from the left never passes the root, and
// one from the right lands left of it. Where the excesses enter linearly (alpha 2) the step is
// exact for the present support, so the search ends when the support stays; where they enter
// squared (alpha 1.5) the exact step solves a quadratic and may pass the root, after which Newton
// leads back.
template <class Real>
template <typename EntmaxThreshold<Real>::Form form>
class EntmaxThreshold<Real>::Search {
 public:
  Search() = default;
  Search(const Real* scores, Index count, Real slope, Real largest, const Real* copies)
      : scores_(scores), copies_(copies), count_(count), slope_(slope), largest_(largest) {}

  bool over() const { return over_; }

  /// One step, without a branch that depends on the sums: it would wait for them.
  void step() {
    const ExcessSums sums =
        kernels<Real>().excess_sums(scores_, copies_, count_, slope_, largest_, tau_);
    double move;
    if constexpr (form == Form::two) {
      move = (sums.first - 1) / sums.count;
    } else {
      const double excess = sums.second - 1;
      low_ = excess >= 0 ? std::max(low_, tau_) : low_;
      const double inside = sums.first * sums.first - sums.count * excess;
      move = excess / (sums.first + (inside >= 0 ? std::sqrt(inside) : sums.first));
    }
    const Real next = std::max(low_, tau_ + static_cast<Real>(move));
    // The last step leaves the support as it is, so these sums tell what the weights will sum to.
    const double moved = static_cast<double>(next) - static_cast<double>(tau_);
    total_ = form == Form::two ? sums.first - moved * sums.count
                               : sums.second - moved * (2 * sums.first - moved * sums.count);
    tau_ = next;
    // Moves shrink quadratically until only the rounding of the sums is left of them.
    const double size = std::abs(move / static_cast<double>(tau_));
    const bool small = size <= std::numeric_limits<Real>::epsilon();
    const bool stuck = (size < 1e-4) & (size >= previous_);
    over_ = small | stuck | (++steps_ == most_steps);
    previous_ = size;
  }

  EntmaxSolution<Real> solution() const { return {largest_, tau_, static_cast<Real>(1 / total_)}; }

 private:
  static constexpr int most_steps = 100;
  const Real* scores_ = nullptr;
  const Real* copies_ = nullptr;
  Index count_ = 0;
  Real slope_ = 0, largest_ = 0, low_ = -1, tau_ = -1;
  double previous_ = 2, total_ = 1;
  int steps_ = 0;
  bool over_ = false;
};

// With p the weight of the largest, p_j = (p^(alpha-1) + d_j)_+^e = p (1 + d_j exp(-x))_+^e for
// x = log p^(alpha-1). x is the root of g(x) = e x + log sum (1 + d_j exp(-x))_+^e, which rises
// from g(-log(n)/e) <= 0 to g(0) >= 0: Newton within that bracket, halving it whenever Newton would
// leave it or is slow.
template <class Real>
EntmaxSolution<Real> EntmaxThreshold<Real>::search_largest(const Real* scores, Index count,
                                                           Real largest, const Real* copies) const {
  const double power = 1 / (alpha_ - 1);
  struct Point {
    double sum = 0, slope = 0;  // sum of (1 + d exp(-x))^e, and its derivative by x
  };
  const auto at = [&](double x) {
    const double inverse = math::exp(-x);
    Point point;
    for (Index j = 0; j < count; ++j) {
      const double copy = copies ? static_cast<double>(copies[j]) : 1.0;
      const double base = 1 + (alpha_ - 1) * static_cast<double>(scores[j] - largest) * inverse;
      if (copy <= 0 || !(base > 0)) continue;
      const double raised = copy * math::pow(base, power);
      point.sum += raised;
      point.slope += power * raised * (1 - base) / base;
    }
    return point;
  };
  double present = static_cast<double>(count);
  if (copies) present = std::accumulate(copies, copies + count, 0.0);
  double low = -math::log(present) / power, high = 0, x = low, previous = high - low;
  for (int step = 0; step < 200 && high > low; ++step) {
    const Point point = at(x);
    const double value = power * x + math::log(point.sum);
    (value <= 0 ? low : high) = x;
    double move = -value / (power + point.slope / point.sum);
    if (!(x + move >= low && x + move <= high) || std::abs(move) > previous / 2)
      move = low + (high - low) / 2 - x;
    previous = std::abs(move);
    x += move;
    if (previous <= 1e-16) break;
  }
  const auto weight = static_cast<Real>(math::exp(power * x));
  const double sum =
      static_cast<double>(weight) * at(math::log(static_cast<double>(weight)) / power).sum;
  return {largest, weight, static_cast<Real>(1 / sum)};
}

// Here e < 1: at the edge of the support the weight rises like a root, and the lowest key of the
// support may have any weight with an excess below every rounding of tau. With p the weight of that
// key, p_j = (p^(alpha-1) + (alpha-1)(z_j - z))^e for every key of the support, nothing cancels,
// and the sum is a convex function of p, so that Newton from the right does not pass the root. A
// key belongs to the support if the keys above it weigh less than 1 when its own weight is 0.
template <class Real>
EntmaxSolution<Real> EntmaxThreshold<Real>::search_edge(const Real* scores, Index count,
                                                        Real largest, const Real* copies) const {
  const double slope = alpha_ - 1, power = 1 / slope;
  struct Key {
    Real score;
    double copies;
  };
  std::vector<Key> keys;
  for (Index j = 0; j < count; ++j)
    if (slope * static_cast<double>(scores[j] - largest) > -1 && (!copies || copies[j] > 0))
      keys.push_back({scores[j], copies ? static_cast<double>(copies[j]) : 1.0});
  if (keys.empty()) {  // the largest is no finite number, as in a model that diverged
    constexpr Real none = std::numeric_limits<Real>::quiet_NaN();
    return {none, none, none};
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.score > b.score; });
  std::size_t distinct = 0;
  for (const Key& key : keys)
    if (distinct > 0 && keys[distinct - 1].score == key.score)
      keys[distinct - 1].copies += key.copies;
    else
      keys[distinct++] = key;
  keys.resize(distinct);

  struct Point {
    double sum = 0, slope = 0;  // of the weights when key `edge` has weight p; its derivative by p
  };
  const auto at = [&](std::size_t edge, double p) {
    const double excess = math::pow(p, slope);
    Point point{keys[edge].copies * p, keys[edge].copies};
    for (std::size_t k = 0; k < edge; ++k) {
      const double gap =
          slope * (static_cast<double>(keys[k].score) - static_cast<double>(keys[edge].score));
      const double weight = math::pow(excess + gap, power);
      point.sum += keys[k].copies * weight;
      point.slope += keys[k].copies * math::pow(p / weight, slope - 1);
    }
    return point;
  };
  std::size_t edge = 0, outside = keys.size();  // key 0 is always in the support
  while (outside - edge > 1) {
    const std::size_t middle = edge + (outside - edge) / 2;
    (at(middle, 0).sum < 1 ? edge : outside) = middle;
  }
  double p = 1;
  for (int step = 0; step < 200; ++step) {
    const Point point = at(edge, p);
    const double next = p - (point.sum - 1) / point.slope;
    if (!(next < p) || !(next > 0)) break;
    p = next;
  }
  const auto weight = static_cast<Real>(p);
  return {keys[edge].score, weight,
          static_cast<Real>(1 / at(edge, static_cast<double>(weight)).sum)};
}

template <class Real>
EntmaxSolution<Real> EntmaxThreshold<Real>::solve(const Real* scores, Index count, Real largest,
                                                  const Real* copies) const {
  const auto search = [&]<Form form>() {
    Search<form> one(scores, count, slope_, largest, copies);
    while (!one.over()) one.step();
    return one.solution();
  };
  switch (form_) {
    case Form::one_and_a_half:
      return search.template operator()<Form::one_and_a_half>();
    case Form::two:
      return search.template operator()<Form::two>();
    case Form::below_two:
      return search_largest(scores, count, largest, copies);
    default:
      return search_edge(scores, count, largest, copies);
  }
}

// A step ends in a chain of divisions and a root, each of which waits for the one before: the
// processor fills that time with the sums of another row.
template <class Real>
void EntmaxThreshold<Real>::solve_rows(std::span<const Real* const> scores, const Index* counts,
                                       EntmaxSolution<Real>* solutions) const {
  const auto rows = static_cast<Index>(scores.size());
  const auto search = [&]<Form form>() {
    constexpr Index together = 8;
    Search<form> searches[together];
    Index of[together], running = 0, next = 0;
    const auto begin = [&](Index at) {
      searches[at] = Search<form>(scores[static_cast<std::size_t>(next)], counts[next], slope_,
                                  solutions[next].reference, nullptr);
      of[at] = next++;
    };
    while (running < together && next < rows) begin(running++);
    while (running > 0)
      for (Index at = 0; at < running;) {
        if (!searches[at].over()) {
          searches[at++].step();
          continue;
        }
        solutions[of[at]] = searches[at].solution();
        if (next < rows) {
          begin(at);
        } else {
          --running;
          searches[at] = searches[running];
          of[at] = of[running];
        }
      }
  };
  if (form_ == Form::one_and_a_half)
    search.template operator()<Form::one_and_a_half>();
  else if (form_ == Form::two)
    search.template operator()<Form::two>();
  else
    for (Index i = 0; i < rows; ++i)
      solutions[i] = solve(scores[static_cast<std::size_t>(i)], counts[i], solutions[i].reference);
}

template <class Real>
void EntmaxThreshold<Real>::weights(const Real* scores, Index count,
                                    const EntmaxSolution<Real>& solution, Real* weights) const {
  const Real reference = solution.reference, edge = solution.edge, share = solution.share;
  if (form_ == Form::one_and_a_half || form_ == Form::two) {
    kernels<Real>().excess_weights(scores, count, slope_, reference, edge, share,
                                   form_ == Form::two ? 1 : 2, weights);
  } else {
    const double power = 1 / (alpha_ - 1);
    const double at_reference = math::pow(static_cast<double>(edge), alpha_ - 1);
    for (Index j = 0; j < count; ++j) {
      const double gap =
          (alpha_ - 1) * (static_cast<double>(scores[j]) - static_cast<double>(reference));
      const double excess = at_reference + gap;
      // The excess at the reference may be too small for a number; its weight is not.
      const double weight =
          gap == 0 ? static_cast<double>(edge) : (excess > 0 ? math::pow(excess, power) : 0.0);
      weights[j] = static_cast<Real>(weight * static_cast<double>(share));
    }
  }
}

// Weights are 0 where slope (z - reference) <= excess. For alpha 1.5 and 2 the sums that tau comes
// from are of at most 512 numbers in eight lanes or more, so that tau, which is at most 1 in size,
// is off by less than 128 epsilon; the excess of the other forms is off by less. That is taken off
// first; then the sum with the reference is rounded downwards, since a score of 1,000 is rounded
// far more than a threshold below 1.
template <class Real>
Real EntmaxThreshold<Real>::floor_at(Real reference, Real excess) const {
  constexpr Real slack = 128 * std::numeric_limits<Real>::epsilon();
  return std::nextafter(reference + (excess - slack) / slope_,
                        -std::numeric_limits<Real>::infinity());
}

template <class Real>
Real EntmaxThreshold<Real>::floor(const EntmaxSolution<Real>& solution) const {
  const bool closed = form_ == Form::one_and_a_half || form_ == Form::two;
  return floor_at(solution.reference, closed ? solution.edge : -math::pow(solution.edge, slope_));
}

// Above alpha 2 the u of the smallest weight exceeds all others, without bound: differences are
// taken from its dweight, and of its own gradient u/sum(u) <u, dweight - its own> is left.
template <class Real>
void EntmaxThreshold<Real>::backward_by_power(const Real* weights, Index count,
                                              Real* dweights) const {
  const double power = 2 - alpha_;
  Index most = -1;  // where u is largest
  for (Index j = 0; j < count; ++j)
    if (weights[j] > 0 &&
        (most < 0 || (power < 0 ? weights[j] < weights[most] : weights[j] > weights[most])))
      most = j;
  const auto base = static_cast<double>(weights[most]);
  const auto start = static_cast<double>(dweights[most]);
  double inner = 0, sum = 0, others = 0;
  for (Index j = 0; j < count; ++j) {
    if (!(weights[j] > 0)) continue;
    const auto weight = static_cast<double>(weights[j]);
    const double relative = math::pow(weight / base, power);
    const double moved = static_cast<double>(dweights[j]) - start;
    inner += relative * moved;
    sum += relative;
    if (j != most) others += math::pow(weight, power) * moved;
  }
  for (Index j = 0; j < count; ++j) {
    const auto weight = static_cast<double>(weights[j]);
    const double moved = static_cast<double>(dweights[j]) - start;
    if (!(weights[j] > 0))
      dweights[j] = 0;
    else if (j == most)
      dweights[j] = static_cast<Real>(-others / sum);
    else
      dweights[j] = static_cast<Real>(math::pow(weight, power) * (moved - inner / sum));
  }
}

template <class Real>
void EntmaxThreshold<Real>::backward(const Real* weights, Index count, Real* dweights) const {
  if (form_ == Form::below_two || form_ == Form::above_two) {
    backward_by_power(weights, count, dweights);
    return;
  }
  kernels<Real>().entmax_backward(weights, count, form_ == Form::one_and_a_half, dweights);
}

template class EntmaxThreshold<float>;
template class EntmaxThreshold<double>;

}  // namespace attnspan
