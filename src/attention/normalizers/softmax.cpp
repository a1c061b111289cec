#include <algorithm>
#include <limits>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/engine.hpp"
#include "ops/largest.hpp"
#include "ops/product.hpp"

namespace attnspan {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Online softmax (Milakov and Gimelshein 2018): sums relative to the largest score so far are
/// rescaled whenever a larger one arrives.
template <class Real>
class SoftmaxStream final : public RowStream<Real> {
 public:
  explicit SoftmaxStream(Index d_head) : d_head_(d_head) {}

  void start(const Real*, std::span<const Index> visible) override {
    // All keys at or below the floor together weigh at most 2^-25 of the sum for float (2^-54 for
    // double): less than half a unit in the last place.
    const Real tiny = math::log(std::numeric_limits<Real>::epsilon() / 4);
    rows_.clear();
    for (const Index keys : visible)
      rows_.push_back({static_cast<Real>(-infinity), 0, tiny - math::log(static_cast<Real>(keys))});
    attended_.assign(visible.size() * static_cast<std::size_t>(d_head_), 0.0);
  }

  void push(MatrixView<Real> scores, ConstMatrixView<Real> values, Index) override {
    for (Index i = 0; i < scores.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      Real* score = scores.row(i);
      const Real largest = std::max(row.largest, largest_of(score, scores.cols));
      if (!(largest > static_cast<Real>(-infinity))) {  // nothing visible yet
        std::fill_n(score, scores.cols, Real(0));
        continue;
      }
      if (largest > row.largest) {
        const double rescale = math::exp(static_cast<double>(row.largest - largest));
        row.sum *= rescale;
        for (Index j = 0; j < d_head_; ++j) attended(i)[j] *= rescale;
        row.largest = largest;
      }
      row.sum += kernels<Real>().exponentials(score, scores.cols, largest, Real(1), score);
    }
    const auto block = reserve(block_, scores.rows, d_head_);
    product<Real>(scores, values, block);
    for (std::size_t k = 0; k < attended_.size(); ++k)
      attended_[k] += static_cast<double>(block_[k]);
  }

  void finish(ConstMatrixView<Real>, MatrixView<Real> output) override {
    for (Index i = 0; i < output.rows; ++i) {
      const double share = 1 / rows_[static_cast<std::size_t>(i)].sum;
      for (Index j = 0; j < d_head_; ++j)
        output.row(i)[j] = static_cast<Real>(attended(i)[j] * share);
    }
  }

  Real floor(Index row) const override {
    const Row& state = rows_[static_cast<std::size_t>(row)];
    return state.largest + state.depth;
  }

 private:
  struct Row {
    Real largest;
    double sum;
    Real depth;  // of the floor, below the largest
  };
  double* attended(Index row) { return attended_.data() + row * d_head_; }

  Index d_head_;
  std::vector<Row> rows_;
  // Rows x d_head: what a block brings, and the sum so far, not yet divided by the row's.
  AlignedVector<Real> block_;
  AlignedVector<double> attended_;
};

/// p_j = exp(z_j) / sum exp(z).
template <class Real>
class Softmax final : public Normalizer<Real> {
 public:
  Index state_size() const override { return 2; }

  void forward(const Real*, const Real* scores, Index count, Real* weights,
               Real* state) const override {
    state[0] = largest_of(scores, count);
    const Kernels<Real>& all = kernels<Real>();
    state[1] = static_cast<Real>(1 / all.exponentials(scores, count, state[0], Real(1), weights));
    all.scale(weights, count, state[1]);
  }

  void rebuild(const Real*, const Real* scores, Index count, const Real* state,
               Real* weights) const override {
    kernels<Real>().exponentials(scores, count, state[0], state[1], weights);
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    kernels<Real>().softmax_backward(weights, count, dweights);
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return std::make_unique<SoftmaxStream<Real>>(d_head);
  }

  bool countable() const override { return true; }

  void counted(const Real*, const Real* scores, const Real* copies, Index count,
               Real* weights) const override {
    const Real largest = largest_present(scores, copies, count);
    // A key without copies may score above the largest; the factor 0 removes it.
    const double sum =
        kernels<Real>().counted_exponentials(scores, copies, count, largest, weights);
    kernels<Real>().scale(weights, count, static_cast<Real>(1 / sum));
  }
};

}  // namespace

namespace normalizers {
NormalizerEntry softmax() {
  return NormalizerEntry::of<Softmax>({.name = "softmax",
                                       .summary = "p = exp(z) / sum exp(z), the usual attention",
                                       .formula = "p_j = exp(z_j) / sum exp(z)",
                                       .source = "Vaswani et al. 2017, arXiv 1706.03762"});
}
}  // namespace normalizers
}  // namespace attnspan
