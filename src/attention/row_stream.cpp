#include "attention/row_stream.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "ops/product.hpp"

namespace attnspan {
namespace {

template <class Real>
class KeptRows final : public RowStream<Real> {
 public:
  KeptRows(RowWeights<Real> weights, Index d_head) : weigh_(std::move(weights)), d_head_(d_head) {}

  void start(const Real* parameters, std::span<const Index> visible) override {
    parameters_ = parameters;
    visible_.assign(visible.begin(), visible.end());
    const Index keys = *std::max_element(visible.begin(), visible.end());
    const auto scores = reserve(scores_, static_cast<Index>(visible.size()), keys);
    std::fill_n(scores.data, scores.rows * scores.cols, hidden);
    rows_ = scores;
  }

  void push(MatrixView<Real> scores, ConstMatrixView<Real>, Index first_key) override {
    for (Index i = 0; i < scores.rows; ++i)
      std::copy_n(scores.row(i), scores.cols, rows_.row(i) + first_key);
  }

  // One row at a time, and of it blocks of keys, which are summed in double.
  void finish(ConstMatrixView<Real> values, MatrixView<Real> output) override {
    std::vector<double> attended(static_cast<std::size_t>(d_head_));
    const auto part = reserve(part_, 1, d_head_);
    for (Index i = 0; i < output.rows; ++i) {
      const Index count = visible_[static_cast<std::size_t>(i)];
      const auto weights = reserve(weights_, 1, count);
      weigh_(parameters_, rows_.row(i), count, weights.data);
      std::fill(attended.begin(), attended.end(), 0.0);
      for (Index first = 0; first < count; first += attended_block) {
        const Index keys = std::min(attended_block, count - first);
        const Real* weight = weights.data + first;
        if (std::all_of(weight, weight + keys, [](Real w) { return w == 0; })) continue;
        product<Real>(weights.middle_cols(first, keys), values.middle_rows(first, keys), part);
        for (Index j = 0; j < d_head_; ++j)
          attended[static_cast<std::size_t>(j)] += static_cast<double>(part.data[j]);
      }
      for (Index j = 0; j < d_head_; ++j)
        output.row(i)[j] = static_cast<Real>(attended[static_cast<std::size_t>(j)]);
    }
  }

  Real floor(Index) const override { return hidden; }

 private:
  static constexpr Real hidden = -std::numeric_limits<Real>::infinity();

  RowWeights<Real> weigh_;
  Index d_head_;
  const Real* parameters_ = nullptr;
  std::vector<Index> visible_;
  AlignedVector<Real> scores_, weights_, part_;
  MatrixView<Real> rows_;
};

}  // namespace

template <class Real>
std::unique_ptr<RowStream<Real>> keep_rows(RowWeights<Real> weights, Index d_head) {
  return std::make_unique<KeptRows<Real>>(std::move(weights), d_head);
}

template std::unique_ptr<RowStream<float>> keep_rows(RowWeights<float>, Index);
template std::unique_ptr<RowStream<double>> keep_rows(RowWeights<double>, Index);

}  // namespace attnspan
