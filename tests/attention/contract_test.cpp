// The contracts of normalizer and encoding carry more than the catalog holds: an order-dependent
// normalizer, one with learned numbers, and an encoding that is a window with learned biases, all
// defined here and run through the unchanged driver, in training and in streaming evaluation.

#include <cmath>
#include <limits>

#include "support/attention_gradient.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

constexpr AttentionShape shape{3, 4};
constexpr double nothing = -std::numeric_limits<double>::infinity();

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

class StickBreakingStream final : public RowStream<double> {
 public:
  explicit StickBreakingStream(Index d_head) : d_head_(d_head) {}

  void start(const double*, std::span<const Index> visible) override {
    rows_.clear();
    for (const Index keys : visible)
      rows_.push_back({1, static_cast<double>(keys), std::vector<double>(width(), 0.0)});
  }

  void push(MatrixView<double> scores, ConstMatrixView<double> values, Index) override {
    for (Index i = 0; i < scores.rows; ++i) {
      Row& row = rows_[static_cast<std::size_t>(i)];
      for (Index j = scores.cols; j-- > 0;) {
        const double broken = row.left * sigmoid(scores.row(i)[j]);
        row.left -= broken;
        for (std::size_t c = 0; c < width(); ++c)
          row.attended[c] += broken * values.row(j)[static_cast<Index>(c)];
      }
    }
  }

  void finish(ConstMatrixView<double>, MatrixView<double> output) override {
    for (Index i = 0; i < output.rows; ++i)
      std::copy_n(rows_[static_cast<std::size_t>(i)].attended.data(), d_head_, output.row(i));
  }

  /// sigmoid(z) <= e^z, so keys at or below the floor break off at most a 2^-54th of what is spent
  /// already.
  double floor(Index i) const override {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    if (row.left == 1) return nothing;
    return std::log(std::numeric_limits<double>::epsilon() / 4 * (1 - row.left) / row.left /
                    row.keys);
  }

 private:
  struct Row {
    double left, keys;
    std::vector<double> attended;
  };
  std::size_t width() const { return static_cast<std::size_t>(d_head_); }
  Index d_head_;
  std::vector<Row> rows_;
};

/// Each key, nearest first, breaks its sigmoid off what is left of a stick of length 1.
class StickBreaking final : public Normalizer<double> {
 public:
  void forward(const double*, const double* scores, Index count, double* weights,
               double*) const override {
    double left = 1;
    for (Index j = count; j-- > 0;) {
      weights[j] = left * sigmoid(scores[j]);
      left -= weights[j];
    }
  }
  void rebuild(const double* parameters, const double* scores, Index count, const double*,
               double* weights) const override {
    forward(parameters, scores, count, weights, nullptr);
  }
  void backward(const double*, const double* scores, const double* weights, Index count,
                double* dweights, double*) const override {
    double farther = 0;  // sum of weights times their gradients over the keys farther away
    for (Index j = 0; j < count; ++j) {
      const double share = weights[j] * dweights[j], broken = sigmoid(scores[j]);
      dweights[j] = share * (1 - broken) - broken * farther;
      farther += share;
    }
  }
  std::unique_ptr<RowStream<double>> stream(Index d_head) const override {
    return std::make_unique<StickBreakingStream>(d_head);
  }
};

class TemperedStream final : public RowStream<double> {
 public:
  explicit TemperedStream(Index d_head) : d_head_(d_head) {}

  void start(const double* parameters, std::span<const Index> visible) override {
    inverse_temperature_ = std::exp(parameters[0]) + parameters[1] * parameters[1];
    rows_.assign(visible.size(), {});
    for (std::size_t i = 0; i < visible.size(); ++i)
      rows_[i].keys = static_cast<double>(visible[i]);
  }
  void push(MatrixView<double> scores, ConstMatrixView<double>, Index first_key) override {
    for (Index i = 0; i < scores.rows; ++i)
      for (Index j = 0; j < scores.cols; ++j) {
        Row& row = rows_[static_cast<std::size_t>(i)];
        const double score = scores.row(i)[j];
        if (score == nothing) continue;
        row.kept.push_back({score, first_key + j});
        row.largest = std::max(row.largest, score);
      }
  }
  void finish(ConstMatrixView<double> values, MatrixView<double> output) override {
    for (Index i = 0; i < output.rows; ++i) {
      const Row& row = rows_[static_cast<std::size_t>(i)];
      double sum = 0;
      std::fill_n(output.row(i), d_head_, 0.0);
      for (const auto& [score, key] : row.kept) {
        const double weight = std::exp(inverse_temperature_ * (score - row.largest));
        sum += weight;
        for (Index c = 0; c < d_head_; ++c) output.row(i)[c] += weight * values.row(key)[c];
      }
      for (Index c = 0; c < d_head_; ++c) output.row(i)[c] /= sum;
    }
  }
  double floor(Index i) const override {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    return row.largest +
           std::log(std::numeric_limits<double>::epsilon() / 4 / row.keys) / inverse_temperature_;
  }

 private:
  struct Row {
    double largest = nothing, keys = 0;
    std::vector<std::pair<double, Index>> kept;
  };
  Index d_head_;
  double inverse_temperature_ = 1;
  std::vector<Row> rows_;
};

/// Softmax of (e^a + b^2) z, a and b learned per head.
class Tempered final : public Normalizer<double> {
 public:
  Index parameters_per_head() const override { return 2; }
  double initial_parameter(Index index) const override { return index == 0 ? 0.1 : 0.7; }
  Index state_size() const override { return 1; }

  void forward(const double* parameters, const double* scores, Index count, double* weights,
               double* state) const override {
    double largest = nothing, sum = 0;
    for (Index j = 0; j < count; ++j) largest = std::max(largest, scores[j]);
    for (Index j = 0; j < count; ++j) sum += std::exp(inverse(parameters) * (scores[j] - largest));
    state[0] = inverse(parameters) * largest + std::log(sum);
    rebuild(parameters, scores, count, state, weights);
  }
  void rebuild(const double* parameters, const double* scores, Index count, const double* state,
               double* weights) const override {
    for (Index j = 0; j < count; ++j)
      weights[j] = std::exp(inverse(parameters) * scores[j] - state[0]);
  }
  void backward(const double* parameters, const double* scores, const double* weights, Index count,
                double* dweights, double* dparameters) const override {
    double inner = 0, dinverse = 0;
    for (Index j = 0; j < count; ++j) inner += weights[j] * dweights[j];
    for (Index j = 0; j < count; ++j) {
      const double slope = weights[j] * (dweights[j] - inner);
      if (weights[j] > 0) dinverse += slope * scores[j];
      dweights[j] = inverse(parameters) * slope;
    }
    dparameters[0] += dinverse * std::exp(parameters[0]);
    dparameters[1] += dinverse * 2 * parameters[1];
  }
  std::unique_ptr<RowStream<double>> stream(Index d_head) const override {
    return std::make_unique<TemperedStream>(d_head);
  }

 private:
  static double inverse(const double* parameters) {
    return std::exp(parameters[0]) + parameters[1] * parameters[1];
  }
};

/// A bias learned per head and distance within a window; keys beyond it are hidden. The last head
/// sees everything.
class LearnedWindow final : public PositionEncoding<double> {
 public:
  static constexpr Position reach = 150;

  std::vector<TensorSpec> tensors() const override {
    return {{"bias", shape.heads - 1, reach, 0, 0}};
  }
  bool biased(Index head) const override { return head + 1 < shape.heads; }
  void add_bias(const double* parameters, Index head, Position query, const Position* keys,
                Index count, double* scores) const override {
    for (Index j = 0; j < count; ++j)
      scores[j] += query - keys[j] < reach ? parameters[head * reach + query - keys[j]] : nothing;
  }
  void bias_backward(const double*, Index head, Position query, const Position* keys, Index count,
                     const double* dscores, double* dparameters) const override {
    if (!biased(head)) return;
    for (Index j = 0; j < count; ++j)
      if (query - keys[j] < reach) dparameters[head * reach + query - keys[j]] += dscores[j];
  }
  double bias_bound(const double* parameters, Index head, Position distance) const override {
    if (!biased(head)) return 0;
    double largest = nothing;
    for (Position d = distance; d < reach; ++d)
      largest = std::max(largest, parameters[head * reach + d]);
    return largest;
  }
};

struct Case {
  std::string name;
  Attention<double> attention;
};

/// The new parts with each other and with those of the catalogs.
std::vector<Case> every_case() {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const std::string& scaler,
                       std::unique_ptr<Normalizer<double>> normalizer,
                       std::unique_ptr<PositionEncoding<double>> position) {
    cases.push_back({name + ", scaler " + scaler,
                     Attention<double>(shape, scaler_of(scaler).make<double>(),
                                       std::move(normalizer), std::move(position))});
  };
  for (const ScalerEntry& scaler : scaler_catalog()) {
    add("stick breaking in a window", scaler.name, std::make_unique<StickBreaking>(),
        std::make_unique<LearnedWindow>());
    add("tempered in a window", scaler.name, std::make_unique<Tempered>(),
        std::make_unique<LearnedWindow>());
    for (const NormalizerEntry& entry : normalizer_catalog())
      add(entry.name + " in a window", scaler.name, normalizer_of(entry.name).make<double>(),
          std::make_unique<LearnedWindow>());
    for (const std::string& position : every_position()) {
      add("stick breaking under " + position, scaler.name, std::make_unique<StickBreaking>(),
          make_position<double>(position, {shape.heads, shape.d_head}));
      add("tempered under " + position, scaler.name, std::make_unique<Tempered>(),
          make_position<double>(position, {shape.heads, shape.d_head}));
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("new normalizers and encodings have their gradients through the driver", "[gradient]") {
  // Longer than the window, so that keys are hidden, and a shorter one beside it.
  const PackedRows rows({170, 12}, 6);
  std::uint64_t name = 100;
  for (const Case& found : every_case()) {
    INFO(found.name);
    Rng rng = random_numbers(++name);
    check_attention_gradient(found.attention, moved_parameters(found.attention, rng, 0.3), rows,
                             LayerInputs<double>(rng, rows, shape.d_model()), rng);
  }
}

TEST_CASE("new normalizers and encodings stream what they attend to at once", "[property]") {
  const PackedRows rows({600}, 5);
  std::uint64_t name = 200;
  for (const Case& found : every_case())
    for (const double size : {0.3, 6.0})
      for (const bool skip : {false, true}) {
        INFO(found.name << ", queries of size " << size << (skip ? ", skipping" : ""));
        Rng rng = random_numbers(++name);
        const AlignedVector<double> parameters = moved_parameters(found.attention, rng, 0.3);
        const LayerInputs<double> in(rng, rows, shape.d_model(), size);
        CHECK(largest_difference(
                  streamed(found.attention, shape, parameters, rows, in, skip, [](auto&, auto&) {})
                      .numbers,
                  attended(found.attention, parameters, rows, in).numbers) < 1e-11);
      }
}

TEST_CASE("keys outside a window are never touched", "[property]") {
  PackedRows last({600});
  last.packing.places = {590, 599};
  last.packing.query_rows = last.packing.places;
  last.packing.query_begin = {0, 2};
  const Attention<double> attention(shape, scaler_of("none").make<double>(),
                                    std::make_unique<StickBreaking>(),
                                    std::make_unique<LearnedWindow>());
  Rng rng = random_numbers(300);
  const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.3);
  const LayerInputs<double> in(rng, last, shape.d_model());
  // Sigmoids of -infinity are 0, but 0 times NaN is not: a touched value would show.
  const auto poison = [](Dense<double>&, Dense<double>& v) {
    for (Index j = 0; j < 256; ++j)
      std::fill_n(v.view().row(j), 2 * shape.d_head, std::numeric_limits<double>::quiet_NaN());
  };
  const auto with = [&](bool skip) {
    return streamed(attention, shape, parameters, last, in, skip, poison).numbers;
  };
  CHECK(largest_difference(with(true), attended(attention, parameters, last, in).numbers) < 1e-12);
  CHECK_FALSE(std::isfinite(largest_difference(with(false), with(true))));
}
