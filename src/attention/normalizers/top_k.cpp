#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"
#include "ops/largest.hpp"
#include "ops/product.hpp"

namespace attnspan {
namespace {

template <class Real>
struct ScoredKey {
  Real score;
  Index place;
  /// Of equal scores the earlier key counts as larger.
  friend bool operator<(const ScoredKey& a, const ScoredKey& b) {
    return a.score < b.score || (a.score == b.score && a.place > b.place);
  }
};

/// Drops all but the k largest, which end in any order.
template <class Real>
void keep_largest(std::vector<ScoredKey<Real>>& keys, std::size_t k) {
  if (keys.size() <= k) return;
  std::nth_element(keys.begin(), keys.begin() + static_cast<Index>(k) - 1, keys.end(),
                   [](const ScoredKey<Real>& a, const ScoredKey<Real>& b) { return b < a; });
  keys.resize(k);
}

/// Puts keys in order of place and replaces their scores by the softmax of these.
template <class Real>
void weigh(std::vector<ScoredKey<Real>>& keys) {
  std::sort(keys.begin(), keys.end(),
            [](const ScoredKey<Real>& a, const ScoredKey<Real>& b) { return a.place < b.place; });
  Real largest = -std::numeric_limits<Real>::infinity();
  for (const ScoredKey<Real>& key : keys) largest = std::max(largest, key.score);
  if (std::isinf(largest)) keys.clear();
  double sum = 0;
  for (ScoredKey<Real>& key : keys) {
    key.score = math::exp(key.score - largest);
    sum += static_cast<double>(key.score);
  }
  for (ScoredKey<Real>& key : keys)
    key.score = static_cast<Real>(static_cast<double>(key.score) / sum);
}

/// Keeps the k largest keys of each row so far, and a few that came since.
template <class Real>
class TopKStream final : public RowStream<Real> {
 public:
  TopKStream(Index k, Index d_head) : k_(static_cast<std::size_t>(k)), d_head_(d_head) {}

  void start(const Real*, std::span<const Index> visible) override {
    rows_.resize(visible.size());
    for (Row& row : rows_) {
      row.keys.clear();
      row.floor = nothing;
    }
  }

  bool traceless() const override { return true; }

  void push_row(Index i, const Real* scores, Index count, Index first_key) override {
    Row& row = rows_[static_cast<std::size_t>(i)];
    if (!(largest_of(scores, count) > row.floor)) return;
    for (Index j = 0; j < count; ++j)
      if (scores[j] > row.floor) row.keys.push_back({scores[j], first_key + j});
    prune(row);
  }

  void push_found(Index i, const Real* scores, const std::int32_t* places, Index count,
                  Index first_key) override {
    Row& row = rows_[static_cast<std::size_t>(i)];
    for (Index j = 0; j < count; ++j) row.keys.push_back({scores[j], first_key + places[j]});
    prune(row);
  }

  // As for a whole row of weights: blocks of keys, which are summed in double.
  void finish(ConstMatrixView<Real> values, MatrixView<Real> output) override {
    std::vector<double> attended(static_cast<std::size_t>(d_head_));
    AlignedVector<Real> part_memory, weights, few_memory;
    const auto part = reserve(part_memory, 1, d_head_);
    for (Index i = 0; i < output.rows; ++i) {
      std::vector<ScoredKey<Real>>& keys = rows_[static_cast<std::size_t>(i)].keys;
      keep_largest(keys, k_);
      weigh(keys);
      std::fill(attended.begin(), attended.end(), 0.0);
      for (std::size_t begin = 0, end; begin < keys.size(); begin = end) {
        const Index block = keys[begin].place / attended_block;
        for (end = begin; end < keys.size() && keys[end].place / attended_block == block;) ++end;
        const auto count = static_cast<Index>(end - begin);
        const auto weight = reserve(weights, 1, count), few = reserve(few_memory, count, d_head_);
        for (Index k = 0; k < count; ++k) {
          const ScoredKey<Real>& key = keys[begin + static_cast<std::size_t>(k)];
          weight.data[k] = key.score;
          std::copy_n(values.row(key.place), d_head_, few.row(k));
        }
        product<Real>(weight, few, part);
        for (Index j = 0; j < d_head_; ++j)
          attended[static_cast<std::size_t>(j)] += static_cast<double>(part.data[j]);
      }
      for (Index j = 0; j < d_head_; ++j)
        output.row(i)[j] = static_cast<Real>(attended[static_cast<std::size_t>(j)]);
    }
  }

  Real floor(Index row) const override { return rows_[static_cast<std::size_t>(row)].floor; }

 private:
  static constexpr Real nothing = -std::numeric_limits<Real>::infinity();

  struct Row {
    std::vector<ScoredKey<Real>> keys;
    Real floor;  // below the least of the k largest: an earlier key may equal that
  };

  void prune(Row& row) const {
    if (row.keys.size() < 2 * k_) return;
    keep_largest(row.keys, k_);
    row.floor = std::nextafter(std::min_element(row.keys.begin(), row.keys.end())->score, nothing);
  }

  std::size_t k_;
  Index d_head_;
  std::vector<Row> rows_;
};

/// Softmax over the k largest scores of a row, all others 0; of equal scores the earlier key counts
/// as larger.
template <class Real>
class TopK final : public Normalizer<Real> {
 public:
  explicit TopK(const Arguments& arguments)
      : k_(arguments.integer("k")), half_(arguments.text("rows") == "half") {}

  void forward(const Real*, const Real* scores, Index count, Real* weights, Real*) const override {
    // At evaluation a row knows its own length only, so half of it is taken in training too.
    const Index k = std::min(count, half_ ? std::max<Index>(k_, (count + 1) / 2) : k_);
    std::vector<ScoredKey<Real>> keys;
    bool numbers = true;  // what is none has no place in an order
    for (Index j = 0; j < count; ++j) {
      keys.push_back({scores[j], j});
      numbers = numbers && !std::isnan(scores[j]);
    }
    if (!numbers) {
      std::fill_n(weights, count, std::numeric_limits<Real>::quiet_NaN());
      return;
    }
    keep_largest(keys, static_cast<std::size_t>(k));
    weigh(keys);
    std::fill_n(weights, count, Real(0));
    for (const ScoredKey<Real>& key : keys) weights[key.place] = key.score;
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    Real inner = 0;
    for (Index j = 0; j < count; ++j) inner += weights[j] * dweights[j];
    for (Index j = 0; j < count; ++j) dweights[j] = weights[j] * (dweights[j] - inner);
  }

  std::unique_ptr<RowStream<Real>> stream(Index d_head) const override {
    if (half_) return Normalizer<Real>::stream(d_head);
    return std::make_unique<TopKStream<Real>>(k_, d_head);
  }

 private:
  Index k_;
  bool half_;
};

}  // namespace

namespace normalizers {
NormalizerEntry top_k() {
  return NormalizerEntry::of<TopK>(
      {.name = "top-k",
       .summary = "softmax over the k largest scores of a row",
       .formula = "p = softmax over the k largest scores, 0 elsewhere; of equal scores the earlier "
                  "key counts as larger",
       .source = "Gupta et al. 2021, arXiv 2106.06899",
       .parameters = {
           {.name = "k",
            .help = "keys that have a weight; at least so many with rows=half",
            .default_value = "8",
            .kind = ParameterSpec::Kind::integer,
            .minimum = 1,
            .maximum = 1e6},
           {.name = "rows",
            .help =
                "fixed: k keys in every row; half: half of the keys up to each row, hidden or not",
            .default_value = "fixed",
            .kind = ParameterSpec::Kind::choice,
            .choices = {"fixed", "half"}}}});
}
}  // namespace normalizers
}  // namespace attnspan
