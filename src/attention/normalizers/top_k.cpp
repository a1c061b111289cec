#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "attention/normalizer.hpp"
#include "core/mathematics.hpp"

namespace attnspan {
namespace {

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
    std::vector<Index> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), Index{0});
    std::nth_element(order.begin(), order.begin() + (k - 1), order.end(), [&](Index a, Index b) {
      return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
    });
    order.resize(static_cast<std::size_t>(k));
    std::sort(order.begin(), order.end());
    std::fill_n(weights, count, Real(0));
    Real largest = scores[order[0]];
    for (const Index j : order) largest = std::max(largest, scores[j]);
    if (std::isinf(largest)) return;
    double sum = 0;
    for (const Index j : order) {
      weights[j] = math::exp(scores[j] - largest);
      sum += static_cast<double>(weights[j]);
    }
    for (const Index j : order)
      weights[j] = static_cast<Real>(static_cast<double>(weights[j]) / sum);
  }

  void backward(const Real*, const Real*, const Real* weights, Index count, Real* dweights,
                Real*) const override {
    Real inner = 0;
    for (Index j = 0; j < count; ++j) inner += weights[j] * dweights[j];
    for (Index j = 0; j < count; ++j) dweights[j] = weights[j] * (dweights[j] - inner);
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
       .parameters = {{.name = "k",
                       .help = "keys that have a weight; at least so many with rows=half",
                       .default_value = "8",
                       .kind = ParameterSpec::Kind::integer,
                       .minimum = 1,
                       .maximum = 1e6},
                      {.name = "rows",
                       .help = "fixed: k keys in every row; half: half of the keys of each row",
                       .default_value = "fixed",
                       .kind = ParameterSpec::Kind::choice,
                       .choices = {"fixed", "half"}}}});
}
}  // namespace normalizers
}  // namespace attnspan
