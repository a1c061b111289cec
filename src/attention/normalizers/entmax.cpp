#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "attention/entmax_threshold.hpp"
#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
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
      row.scores.clear();
      row.keys.clear();
      row.largest = row.floor = nothing<Real>;
      row.prune_at = first_prune;
    }
  }

  void push(MatrixView<Real> scores, ConstMatrixView<Real>, Index first_key) override {
    for (Index i = 0; i < scores.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      const Real* score = scores.row(i);
      const Real largest = largest_of(score, scores.cols);
      if (!(largest > row.floor)) continue;
      if (largest > row.largest) {
        row.largest = largest;
        row.floor = std::max(row.floor, threshold_.floor(largest));
      }
      keep(row, score, scores.cols, first_key);
      if (row.scores.size() >= row.prune_at) prune(row);
    }
  }

  void finish(ConstMatrixView<Real> values, MatrixView<Real> output) override {
    // In double: of equal scores every key of a long sequence is added.
    std::vector<double> attended(static_cast<std::size_t>(d_head_));
    for (Index i = 0; i < output.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      const auto count = static_cast<Index>(row.scores.size());
      const EntmaxSolution<Real> solution = threshold_.solve(row.scores.data(), count, row.largest);
      threshold_.weights(row.scores.data(), count, solution, row.scores.data());
      std::fill(attended.begin(), attended.end(), 0.0);
      double* sum = attended.data();
      for (Index k = 0; k < count; ++k) {
        const Real weight = row.scores[static_cast<std::size_t>(k)];
        if (weight == 0) continue;
        const Real* value = values.row(row.keys[static_cast<std::size_t>(k)]);
#pragma omp simd
        for (Index j = 0; j < d_head_; ++j) sum[j] += static_cast<double>(weight * value[j]);
      }
      for (Index j = 0; j < d_head_; ++j) output.row(i)[j] = static_cast<Real>(sum[j]);
    }
  }

  Real floor(Index row) const override { return rows_[static_cast<std::size_t>(row)].floor; }

 private:
  static constexpr std::size_t first_prune = 256;

  struct Row {
    AlignedVector<Real> scores;
    std::vector<std::int32_t> keys;
    Real largest;
    Real floor;  // keys at or below it have weight 0
    std::size_t prune_at;
  };

  /// Appends the keys above the floor. A whole group is passed over with one vector comparison.
  static void keep(Row& row, const Real* score, Index count, Index first_key) {
    constexpr Index group = 16;
    const Real floor = row.floor;
    for (Index begin = 0; begin < count; begin += group) {
      const Index end = std::min(count, begin + group);
      int above = 0;
      for (Index j = begin; j < end; ++j) above += score[j] > floor ? 1 : 0;
      if (above == 0) continue;
      for (Index j = begin; j < end; ++j) {
        if (!(score[j] > floor)) continue;
        row.scores.push_back(score[j]);
        row.keys.push_back(static_cast<std::int32_t>(first_key + j));
      }
    }
  }

  /// Raises the floor to the threshold of the kept keys and drops those it passed.
  void prune(Row& row) const {
    const auto count = static_cast<Index>(row.scores.size());
    row.floor = std::max(row.floor,
                         threshold_.floor(threshold_.solve(row.scores.data(), count, row.largest)));
    std::size_t kept = 0;
    for (std::size_t k = 0; k < row.scores.size(); ++k) {
      row.scores[kept] = row.scores[k];
      row.keys[kept] = row.keys[k];
      kept += row.scores[k] > row.floor ? 1 : 0;
    }
    row.scores.resize(kept);
    row.keys.resize(kept);
    row.prune_at = std::max(first_prune, 2 * kept);
  }

  EntmaxThreshold<Real> threshold_;
  bool learned_;
  Index d_head_;
  std::vector<Row> rows_;
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
    state[0] = solution.reference;
    state[1] = solution.edge;
    state[2] = solution.share;
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
