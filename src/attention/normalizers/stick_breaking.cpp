#include <algorithm>
#include <limits>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

template <class Real>
Real sigmoid(Real z) {
  return 1 / (1 + math::exp(-z));
}

/// Breaks a stick of length 1 from the nearest key to the farthest; the row's own key breaks off
/// nothing.
template <class Real>
class StickBreakingStream final : public RowStream<Real> {
 public:
  StickBreakingStream(bool remainder, Index d_head) : remainder_(remainder), d_head_(d_head) {}

  void start(const Real*, std::span<const Index> visible) override {
    rows_.clear();
    for (const Index keys : visible)
      rows_.push_back({1, keys - 1, std::vector<double>(static_cast<std::size_t>(d_head_), 0.0)});
  }

  void push(MatrixView<Real> scores, ConstMatrixView<Real> values, Index first_key) override {
    for (Index i = 0; i < scores.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      double* attended = row.attended.data();
      for (Index j = std::min(scores.cols, row.own - first_key); j-- > 0;) {
        const double broken = row.left * sigmoid(static_cast<double>(scores.row(i)[j]));
        if (broken == 0) continue;
        row.left -= broken;
        for (Index c = 0; c < d_head_; ++c)
          attended[c] += broken * static_cast<double>(values.row(j)[c]);
      }
    }
  }

  void finish(ConstMatrixView<Real> values, MatrixView<Real> output) override {
    for (Index i = 0; i < output.rows; ++i) {
      const Row& row = rows_[static_cast<std::size_t>(i)];
      const double left = remainder_ ? row.left : 0;
      for (Index c = 0; c < d_head_; ++c)
        output.row(i)[c] = static_cast<Real>(row.attended[static_cast<std::size_t>(c)] +
                                             left * static_cast<double>(values.row(row.own)[c]));
    }
  }

  /// sigmoid(z) <= e^z, so that all keys at or below the floor together break off at most a quarter
  /// of the rounding of Real.
  Real floor(Index i) const override {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    if (row.left == 1) return -std::numeric_limits<Real>::infinity();
    const double keys = static_cast<double>(row.own + 1);
    const double spare = static_cast<double>(std::numeric_limits<Real>::epsilon()) / 4;
    return static_cast<Real>(math::log(spare * (1 - row.left) / std::max(row.left, 1e-300) / keys));
  }

 private:
  struct Row {
    double left;
    Index own;
    std::vector<double> attended;
  };
  bool remainder_;
  Index d_head_;
  std::vector<Row> rows_;
};

/// p_j = s(z_j) prod_{j<m<i} (1 - s(z_m)) for the keys before row i, nearest first, and what is
/// left of 1 to the row's own key (Tan et al. 2024).
template <class Real>
class StickBreaking final : public Normalizer<Real> {
 public:
  explicit StickBreaking(const Arguments& arguments)
      : remainder_(arguments.text("remainder") == "own") {}

  bool positional() const override { return true; }

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    double left = 1;
    for (Index j = count - 1; j-- > 0;) {
      const double broken = left * sigmoid(static_cast<double>(scores[j]));
      weights[j] = static_cast<Real>(broken);
      left -= broken;
    }
    weights[count - 1] = remainder_ ? static_cast<Real>(left) : Real(0);
  }

  void backward(const Real*, const Real* scores, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    // What a key breaks off is missing to the remainder and to every key farther away.
    Real farther = weights[count - 1] * dweights[count - 1];
    dweights[count - 1] = 0;
    for (Index j = 0; j + 1 < count; ++j) {
      const Real share = weights[j] * dweights[j], broken = sigmoid(scores[j]);
      dweights[j] = share * (1 - broken) - broken * farther;
      farther += share;
    }
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    return std::make_unique<StickBreakingStream<Real>>(remainder_, d_head);
  }

 private:
  bool remainder_;
};

}  // namespace

namespace normalizers {
NormalizerEntry stick_breaking() {
  return NormalizerEntry::of<StickBreaking>(
      {.name = "stick-breaking",
       .summary = "each key, nearest first, breaks its sigmoid off what is left of 1",
       .formula = "p_j = s(z_j) prod over j < m < i of (1 - s(z_m)), j < i, s(z) = 1 / (1 + "
                  "exp(-z)); p_i = 1 - sum p_j",
       .source = "Tan et al. 2024, arXiv 2410.17980",
       .parameters = {{.name = "remainder",
                       .help = "what is left goes to the row's own value, or to none",
                       .default_value = "own",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"own", "none"}}}});
}
}  // namespace normalizers
}  // namespace attnspan
