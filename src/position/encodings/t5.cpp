#include <algorithm>
#include <cmath>
#include <vector>

#include "core/mathematics.hpp"
#include "position/position.hpp"
#include "position/randomized.hpp"

namespace attnspan {
namespace {

/// A bias learned per head and bucket of distances: the first half of the buckets are single
/// distances, the others grow with the logarithm up to the largest, and all beyond fall in the last
/// (Raffel et al. 2020).
template <class Real>
class T5 final : public PositionEncoding<Real> {
 public:
  T5(const Arguments& arguments, const LayerShape& shape)
      : heads_(shape.heads),
        buckets_(arguments.integer("buckets")),
        largest_(std::max(arguments.text("distance") == "train"
                              ? static_cast<double>(shape.train_tokens)
                              : arguments.number("distance"),
                          static_cast<double>(buckets_ / 2 + 1))) {
    const auto end = static_cast<Position>(std::ceil(largest_)) + 1;
    for (Index of = buckets_ / 2; of < buckets_; ++of) {
      Position low = firsts_.empty() ? static_cast<Position>(buckets_ / 2) : firsts_.back();
      Position high = end;
      while (low < high) {
        const Position middle = low + (high - low) / 2;
        if (by_logarithm(middle) < of)
          low = middle + 1;
        else
          high = middle;
      }
      firsts_.push_back(low);
    }
  }

  std::vector<TensorSpec> tensors() const override { return {{"bias", heads_, buckets_, 0, 0}}; }

  bool biased(Index) const override { return true; }

  void add_bias(const Real* parameters, Index head, const BiasRow<Real>& row, Real* scores,
                Real*) const override {
    const Real* bias = parameters + head * buckets_;
    for (Index j = 0; j < row.count; ++j) scores[j] += bias[bucket(row.query - row.keys[j])];
  }

  void bias_backward(const Real*, Index head, const BiasRow<Real>& row, const Real*, Real* dscores,
                     const BiasGradient<Real>& gradient) const override {
    Real* bias = gradient.parameters + head * buckets_;
    for (Index j = 0; j < row.count; ++j) bias[bucket(row.query - row.keys[j])] += dscores[j];
  }

  Real bias_bound(const Real* parameters, Index head, const BiasRow<Real>& row) const override {
    const Real* bias = parameters + head * buckets_;
    return *std::max_element(bias + bucket(row.query - row.keys[row.count - 1]), bias + buckets_);
  }

 private:
  Index bucket(Position distance) const {
    const Index exact = buckets_ / 2;
    if (distance < exact) return distance;
    return exact - 1 +
           (std::upper_bound(firsts_.begin(), firsts_.end(), distance) - firsts_.begin());
  }

  /// Of a distance beyond the single ones.
  Index by_logarithm(Position distance) const {
    const Index exact = buckets_ / 2;
    const double share = math::log(static_cast<double>(distance) / static_cast<double>(exact)) /
                         math::log(largest_ / static_cast<double>(exact));
    return std::min(buckets_ - 1,
                    exact + static_cast<Index>(share * static_cast<double>(buckets_ - exact)));
  }

  Index heads_, buckets_;
  double largest_;
  std::vector<Position> firsts_;  // distance of each bucket of several
};

}  // namespace

namespace positions {
PositionEntry t5() {
  return PositionEntry::of<T5>(
      {.name = "t5",
       .summary = "a bias learned per head and bucket of distances",
       .formula = "z_ij + b_h[bucket(i - j)]",
       .source = "Raffel et al. 2020, arXiv 1910.10683",
       .parameters = {
           {.name = "distance",
            .help = "where the last bucket begins; train: at the training length, beyond which "
                    "nothing is learned",
            .default_value = "train",
            .kind = ParameterSpec::Kind::integer,
            .minimum = 2,
            .maximum = 1e9,
            .choices = {"train"}},
           {.name = "buckets",
            .help = "half of them single distances",
            .default_value = "32",
            .kind = ParameterSpec::Kind::integer,
            .minimum = 2,
            .maximum = 4096},
           randomized_parameter()}});
}
}  // namespace positions
}  // namespace attnspan
