#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "attention/entmax_threshold.hpp"
#include "attention/key_bounds.hpp"
#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/engine.hpp"
#include "ops/largest.hpp"

namespace attnspan {
namespace {

template <class Real>
constexpr Real nothing = -std::numeric_limits<Real>::infinity();

constexpr double smallest_alpha = 1.0001;

/// A learned alpha is 1 + sigmoid(a), which stays between softmax and sparsemax.
template <class Real>
EntmaxThreshold<Real> learned_threshold(const Real* a) {
  return EntmaxThreshold<Real>(
      std::max(smallest_alpha, 1 + 1 / (1 + math::exp(-static_cast<double>(a[0])))));
}

/// Keeps, of each row, the keys that can still have a weight: those within 1/(alpha-1) of the
/// largest score so far and above the threshold of what is kept, which more keys can only raise.
/// What is dropped would get weight exactly 0, so the result is exact.
template <class Real>
class EntmaxStream final : public RowStream<Real> {
 public:
  EntmaxStream(const EntmaxThreshold<Real>& threshold, bool learned, Index d_head)
      : threshold_(threshold), learned_(learned), d_head_(d_head) {}

  void start(const Real* parameters, std::span<const Index> visible) override {
    if (learned_) threshold_ = learned_threshold(parameters);
    rows_.resize(visible.size());
    for (Row& row : rows_) {
      row.count = 0;
      row.largest = row.floor = nothing<Real>;
      row.prune_at = first_prune;
    }
  }

  bool traceless() const override { return true; }

  void push_row(Index i, const Real* scores, Index count, Index first_key) override {
    Row& row = rows_[static_cast<std::size_t>(i)];
    if (!raise(row, largest_of(scores, count))) return;
    make_room(row, count);
    row.count += kernels<Real>().keep_above(scores, nullptr, static_cast<std::int32_t>(first_key),
                                            count, row.floor, row.scores.data() + row.count,
                                            row.keys.data() + row.count);
    if (row.count >= row.prune_at) prune(row);
  }

  void push_found(Index i, const Real* scores, const std::int32_t* places, Index count,
                  Index first_key) override {
    if (count == 0) return;
    Row& row = rows_[static_cast<std::size_t>(i)];
    make_room(row, count);
    const auto first = static_cast<std::int32_t>(first_key);
    // Mostly none of them raises the floor, and all stay.
    if (row.count + count < row.prune_at && !(largest_of(scores, count) > row.largest)) {
      std::copy_n(scores, count, row.scores.data() + row.count);
      std::transform(places, places + count, row.keys.data() + row.count,
                     [&](std::int32_t place) { return first + place; });
      row.count += count;
      return;
    }
    constexpr auto block = static_cast<std::int32_t>(KeyBounds<Real>::block);
    for (Index begin = 0, end; begin < count; begin = end) {
      const std::int32_t last = places[begin] - places[begin] % block + block - 1;
      for (end = begin + 1; end < count && places[end] > places[end - 1] && places[end] <= last;)
        ++end;
      if (!raise(row, largest_of(scores + begin, end - begin))) continue;
      for (Index k = begin; k < end; ++k) {
        row.scores[static_cast<std::size_t>(row.count)] = scores[k];
        row.keys[static_cast<std::size_t>(row.count)] = first + places[k];
        row.count += scores[k] > row.floor ? 1 : 0;
      }
      if (row.count >= row.prune_at) prune(row);
    }
  }

  void finish(ConstMatrixView<Real> values, MatrixView<Real> output) override {
    for (Index i = 0; i < output.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      const EntmaxSolution<Real> solution =
          threshold_.solve(row.scores.data(), row.count, row.largest);
      threshold_.weights(row.scores.data(), row.count, solution, row.scores.data());
      row.added = 0;
    }
    // In double: of equal scores every key of a long sequence is added. Keys were kept blocks of
    // them at a time, the nearest first; rows that kept many add the values of a stretch before the
    // next one's are fetched.
    attended_.assign(static_cast<std::size_t>(output.rows * d_head_), 0.0);
    const auto add = [&](Index i, Index number) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      if (number > 0)
        kernels<Real>().add_weighted_rows(row.scores.data() + row.added,
                                          row.keys.data() + row.added, number, values.data,
                                          values.stride, d_head_, attended_.data() + i * d_head_);
      row.added += number;
    };
    for (Index i = 0; i < output.rows; ++i)
      if (const Index count = rows_[static_cast<std::size_t>(i)].count; count <= stretch)
        add(i, count);
    for (;;) {
      std::int32_t nearest = -1;
      for (Index i = 0; i < output.rows; ++i) {
        const Row& row = rows_[static_cast<std::size_t>(i)];
        if (row.added < row.count)
          nearest = std::max(nearest, row.keys[static_cast<std::size_t>(row.added)]);
      }
      if (nearest < 0) break;
      const std::int32_t end = nearest - nearest % stretch;
      for (Index i = 0; i < output.rows; ++i) {
        const Row& row = rows_[static_cast<std::size_t>(i)];
        const auto begin = row.keys.begin() + row.added, last = row.keys.begin() + row.count;
        add(i, std::partition_point(begin, last, [&](std::int32_t key) { return key >= end; }) -
                   begin);
      }
    }
    for (Index i = 0; i < output.rows; ++i)
      for (Index j = 0; j < d_head_; ++j)
        output.row(i)[j] = static_cast<Real>(attended_[static_cast<std::size_t>(i * d_head_ + j)]);
  }

  Real floor(Index row) const override { return rows_[static_cast<std::size_t>(row)].floor; }

 private:
  static constexpr Index first_prune = 256;
  static constexpr std::int32_t stretch = 1024;  // a multiple of a pushed block's keys

  struct Row {
    AlignedVector<Real> scores;  // the first `count` of them, and then room
    std::vector<std::int32_t> keys;
    Index count, added;
    Real largest;
    Real floor;  // keys at or below it have weight 0
    Index prune_at;
  };

  /// Raises the floor to what a block's largest score tells; false: the block has nothing to keep.
  bool raise(Row& row, Real largest) const {
    if (!(largest > row.floor)) return false;
    if (largest > row.largest) {
      row.largest = largest;
      row.floor = std::max(row.floor, threshold_.floor(largest));
    }
    return true;
  }

  void make_room(Row& row, Index count) const {
    constexpr Index spare = 16;  // that the kernel writes over
    if (const auto needed = static_cast<std::size_t>(row.count + count + spare);
        row.scores.size() < needed) {
      row.scores.resize(std::max(needed, 2 * row.scores.size()));
      row.keys.resize(row.scores.size());
    }
  }

  /// Raises the floor to the threshold of the kept keys and drops those it passed.
  void prune(Row& row) const {
    const Real threshold =
        threshold_.floor(threshold_.solve(row.scores.data(), row.count, row.largest));
    row.floor = std::max(row.floor, threshold);
    row.count = kernels<Real>().keep_above(row.scores.data(), row.keys.data(), 0, row.count,
                                           row.floor, row.scores.data(), row.keys.data());
    row.prune_at = std::max(first_prune, 2 * row.count);
  }

  EntmaxThreshold<Real> threshold_;
  bool learned_;
  Index d_head_;
  std::vector<Row> rows_;
  std::vector<double> attended_;  // rows x d_head
};

/// alpha-entmax: sparse, exactly 0 from 1/(alpha-1) below the largest score on (Peters, Niculae and
/// Martins 2019); alpha fixed, or learned per head (Correia, Niculae and Martins 2019).
template <class Real>
class Entmax final : public Normalizer<Real> {
 public:
  explicit Entmax(const Arguments& arguments)
      : learned_(arguments.text("alpha") == "learned"),
        threshold_(learned_ ? 1.5 : arguments.number("alpha")) {}

  Index parameters_per_head() const override { return learned_ ? 1 : 0; }

  Index state_size() const override { return 3; }

  void forward(const Real* parameters, const Real* scores, Index count, Real* weights,
               Real* state) const override {
    const EntmaxThreshold<Real> threshold = of(parameters);
    const EntmaxSolution<Real> solution = threshold.solve(scores, count, largest_of(scores, count));
    threshold.weights(scores, count, solution, weights);
    keep(solution, state);
  }

  void forward_rows(const Real* parameters, ConstMatrixView<Real> scores,
                    std::span<const Index> counts, MatrixView<Real> weights,
                    MatrixView<Real> states) const override {
    const EntmaxThreshold<Real> threshold = of(parameters);
    std::vector<const Real*> rows;
    std::vector<EntmaxSolution<Real>> solutions(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      rows.push_back(scores.row(static_cast<Index>(i)));
      solutions[i].reference = largest_of(rows[i], counts[i]);
    }
    threshold.solve_rows(rows, counts.data(), solutions.data());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const EntmaxSolution<Real>& solution = solutions[i];
      const auto row = static_cast<Index>(i);
      threshold.weights(rows[i], counts[i], solution, weights.row(row));
      keep(solution, states.row(row));
    }
  }

  void rebuild(const Real* parameters, const Real* scores, Index count, const Real* state,
               Real* weights) const override {
    of(parameters).weights(scores, count, {state[0], state[1], state[2]}, weights);
  }

  void backward(const Real* parameters, const Real*, const Real* weights, Index count,
                Real* dweights, Real* dparameters) const override {
    const EntmaxThreshold<Real> threshold = of(parameters);
    if (learned_) {
      const double slope = threshold.alpha() - 1;
      dparameters[0] +=
          static_cast<Real>(slope * (1 - slope) * alpha_slope(slope, weights, count, dweights));
    }
    threshold.backward(weights, count, dweights);
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return std::make_unique<EntmaxStream<Real>>(threshold_, learned_, d_head);
  }

  bool countable() const override { return true; }

  void counted(const Real* parameters, const Real* scores, const Real* copies, Index count,
               Real* weights) const override {
    const EntmaxThreshold<Real> threshold = of(parameters);
    const Real largest = largest_present(scores, copies, count);
    threshold.weights(scores, count, threshold.solve(scores, count, largest, copies), weights);
    for (Index j = 0; j < count; ++j) weights[j] = copies[j] > 0 ? weights[j] * copies[j] : Real(0);
  }

 private:
  static void keep(const EntmaxSolution<Real>& solution, Real* state) {
    state[0] = solution.reference;
    state[1] = solution.edge;
    state[2] = solution.share;
  }

  EntmaxThreshold<Real> of(const Real* parameters) const {
    return learned_ ? learned_threshold(parameters) : threshold_;
  }

  /// <dweights, dp / dalpha>, with slope = alpha - 1: dp_j / dalpha = (p_j - u_j) / slope^2 + (h_j
  /// - u_j sum h) / slope, u = p^(2-alpha) / sum p^(2-alpha) on the support, h = -p log p (Correia,
  /// Niculae and Martins 2019).
  static double alpha_slope(double slope, const Real* weights, Index count, const Real* dweights) {
    double raised_sum = 0, entropy = 0, along_raised = 0, along_entropy = 0, along_weights = 0;
    for (Index j = 0; j < count; ++j) {
      if (!(weights[j] > 0)) continue;
      const auto p = static_cast<double>(weights[j]), upstream = static_cast<double>(dweights[j]);
      const double raised = math::pow(p, 1 - slope), h = -p * math::log(p);
      raised_sum += raised;
      entropy += h;
      along_raised += upstream * raised;
      along_entropy += upstream * h;
      along_weights += upstream * p;
    }
    const double mean = along_raised / raised_sum;
    return (along_weights - mean) / (slope * slope) + (along_entropy - mean * entropy) / slope;
  }

  bool learned_;
  EntmaxThreshold<Real> threshold_;
};

}  // namespace

namespace normalizers {
NormalizerEntry entmax() {
  return NormalizerEntry::of<Entmax>(
      {.name = "entmax",
       .summary = "alpha-entmax: weights below a threshold are exactly 0",
       .formula = "p_j = [(alpha-1) z_j - tau]_+^(1/(alpha-1)), tau such that p sums to 1",
       .source =
           "Peters, Niculae and Martins 2019, arXiv 1905.05702; learned: Correia et al. 2019, "
           "arXiv 1909.00015",
       .parameters = {{.name = "alpha",
                       .help = "how sparse: towards softmax at 1; learned: per head, in (1, 2)",
                       .default_value = "1.5",
                       .kind = ParameterSpec::Kind::number,
                       .minimum = smallest_alpha,
                       .maximum = 64,
                       .choices = {"learned"}}},
       .aliases = {
           {.name = "sparsemax",
            .text = "entmax:2",
            .summary = "sparser attention (Martins and Astudillo 2016, arXiv 1602.02068)"}}});
}
}  // namespace normalizers
}  // namespace attnspan
