// The contracts of normalizer and encoding carry more than the catalog holds: normalizers that
// depend on the order, with learned numbers, of directions alone, and in two passes at evaluation
// only; encodings that are a window with learned biases, gates read from the tokens, positions
// counted from scores, and wider queries and keys. All are defined here and run through the
// unchanged driver, in training and in streaming evaluation.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "support/attention_gradient.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

constexpr LayerShape shape{3, 4};
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

/// The least that a normalizer needs: sigmoids of the cosines of queries and keys, which do not sum
/// to one; what a row's own key gets beside them is the row's length.
class Cosine final : public Normalizer<double> {
 public:
  bool unit_vectors() const override { return true; }
  void forward(const double*, const double* scores, Index count, double* weights,
               double*) const override {
    for (Index j = 0; j < count; ++j) weights[j] = sigmoid(4 * scores[j]) * length(count);
  }
  void backward(const double*, const double*, const double* weights, Index count, double* dweights,
                double*) const override {
    for (Index j = 0; j < count; ++j)
      dweights[j] *= 4 * weights[j] * (1 - weights[j] / length(count));
  }

 private:
  static double length(Index count) { return 1 / std::log(static_cast<double>(count + 2)); }
};

/// Softmax in training; at evaluation softmax of scores sharpened by the row's own entropy, which
/// takes a pass over the row before the one that weighs it.
class Sharpened final : public Normalizer<double> {
 public:
  explicit Sharpened(bool evaluation = false) {
    if (!evaluation) evaluation_ = std::make_unique<Sharpened>(true);
  }
  const Normalizer<double>& at_evaluation() const override {
    return evaluation_ ? *evaluation_ : *this;
  }
  void forward(const double*, const double* scores, Index count, double* weights,
               double*) const override {
    softmax(scores, 1, count, weights);
    if (evaluation_) return;
    double entropy = 0;
    for (Index j = 0; j < count; ++j)
      if (weights[j] > 0) entropy -= weights[j] * std::log(weights[j]);
    softmax(scores, 1 + entropy, count, weights);
  }
  void backward(const double*, const double*, const double* weights, Index count, double* dweights,
                double*) const override {
    double inner = 0;
    for (Index j = 0; j < count; ++j) inner += weights[j] * dweights[j];
    for (Index j = 0; j < count; ++j) dweights[j] = weights[j] * (dweights[j] - inner);
  }

 private:
  static void softmax(const double* scores, double sharpness, Index count, double* weights) {
    const double largest = *std::max_element(scores, scores + count);
    double sum = 0;
    for (Index j = 0; j < count; ++j)
      sum += weights[j] = std::exp(sharpness * (scores[j] - largest));
    for (Index j = 0; j < count; ++j) weights[j] /= sum;
  }
  std::unique_ptr<Sharpened> evaluation_;
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
  void add_bias(const double* parameters, Index head, const BiasRow<double>& row, double* scores,
                double*) const override {
    for (Index j = 0; j < row.count; ++j) {
      const Position distance = row.query - row.keys[j];
      scores[j] += distance < reach ? parameters[head * reach + distance] : nothing;
    }
  }
  void bias_backward(const double*, Index head, const BiasRow<double>& row, const double*,
                     double* dscores, const BiasGradient<double>& gradient) const override {
    for (Index j = 0; j < row.count; ++j) {
      const Position distance = row.query - row.keys[j];
      if (distance < reach) gradient.parameters[head * reach + distance] += dscores[j];
    }
  }
  double bias_bound(const double* parameters, Index head,
                    const BiasRow<double>& row) const override {
    if (!biased(head)) return 0;
    double largest = nothing;
    for (Position d = row.query - row.keys[row.count - 1]; d < reach; ++d)
      largest = std::max(largest, parameters[head * reach + d]);
    return largest;
  }
};

/// A bias that depends on the tokens at both ends: each token has a gate, and a key is seen through
/// those of all tokens between.
class Gates final : public PositionEncoding<double> {
 public:
  std::vector<TensorSpec> tensors() const override {
    return {{"weights", shape.d_model(), shape.heads, 0, 0}};
  }
  bool biased(Index) const override { return true; }
  Index features() const override { return 1; }
  void read(const double* weights, ConstMatrixView<double> x,
            MatrixView<double> features) const override {
    for (Index i = 0; i < x.rows; ++i)
      for (Index h = 0; h < shape.heads; ++h)
        features.row(i)[h] =
            (i > 0 ? features.row(i - 1)[h] : 0) + std::log(gate(weights, x, i, h));
  }
  void read_backward(const double* weights, ConstMatrixView<double> x, ConstMatrixView<double>,
                     ConstMatrixView<double> dfeatures, MatrixView<double> dx,
                     double* dweights) const override {
    for (Index h = 0; h < shape.heads; ++h) {
      double later = 0;
      for (Index i = x.rows; i-- > 0;) {
        later += dfeatures.row(i)[h];
        const double slope = later * (1 - gate(weights, x, i, h));
        for (Index c = 0; c < x.cols; ++c) {
          dx.row(i)[c] += slope * weights[c * shape.heads + h];
          dweights[c * shape.heads + h] += slope * x.row(i)[c];
        }
      }
    }
  }
  void add_bias(const double*, Index, const BiasRow<double>& row, double* scores,
                double*) const override {
    for (Index j = 0; j < row.count; ++j) scores[j] += row.features[0] - row.key_features.row(j)[0];
  }
  void bias_backward(const double*, Index, const BiasRow<double>& row, const double*,
                     double* dscores, const BiasGradient<double>& gradient) const override {
    for (Index j = 0; j < row.count; ++j) {
      gradient.features[0] += dscores[j];
      gradient.key_features.row(j)[0] -= dscores[j];
    }
  }

 private:
  static double gate(const double* weights, ConstMatrixView<double> x, Index i, Index h) {
    double sum = 2;
    for (Index c = 0; c < x.cols; ++c) sum += x.row(i)[c] * weights[c * shape.heads + h];
    return sigmoid(sum);
  }
};

/// Positions counted from scores: a key lies as far back as the sigmoids of the scores from it on
/// add up to, and the bias is the query's first number times a learned slope times that distance.
class Counted final : public PositionEncoding<double> {
 public:
  std::vector<TensorSpec> tensors() const override { return {{"slopes", 1, shape.heads, -0.1, 0}}; }
  bool biased(Index) const override { return true; }
  Index carried() const override { return 1; }
  void add_bias(const double* slopes, Index head, const BiasRow<double>& row, double* scores,
                double* carried) const override {
    for (Index j = row.count; j-- > 0;) {
      carried[0] += sigmoid(scores[j]);
      scores[j] += slopes[head] * row.vector[0] * carried[0];
    }
  }
  void bias_backward(const double* slopes, Index head, const BiasRow<double>& row,
                     const double* scores, double* dscores,
                     const BiasGradient<double>& gradient) const override {
    double counted = 0, farther = 0;
    for (Index j = row.count; j-- > 0;) {
      counted += sigmoid(scores[j]);
      gradient.parameters[head] += dscores[j] * row.vector[0] * counted;
      gradient.vector[0] += dscores[j] * slopes[head] * counted;
    }
    for (Index j = 0; j < row.count; ++j) {
      farther += dscores[j] * slopes[head] * row.vector[0];
      const double gate = sigmoid(scores[j]);
      dscores[j] += farther * gate * (1 - gate);
    }
  }
};

/// Turns queries and keys into wider ones: their magnitudes at angles that grow with the position,
/// keys behind by a learned angle.
class Polar final : public PositionEncoding<double> {
 public:
  std::vector<TensorSpec> tensors() const override { return {{"behind", 1, shape.heads, 0, 0}}; }
  Index width() const override { return 2 * shape.d_head; }
  void turn(const double* behind, Role role, const Position* positions,
            ConstMatrixView<double> from, MatrixView<double> to) const override {
    for_each(from, [&](Index i, Index head, Index c) {
      const double size = std::exp(from.row(i)[c] / 4),
                   at = angle(behind, role, positions[i], head, c);
      to.row(i)[2 * c] = size * std::cos(at);
      to.row(i)[2 * c + 1] = size * std::sin(at);
    });
  }
  void turn_backward(const double* behind, Role role, const Position* positions,
                     ConstMatrixView<double> from, ConstMatrixView<double> dto,
                     MatrixView<double> dfrom, double* dbehind) const override {
    for_each(from, [&](Index i, Index head, Index c) {
      const double size = std::exp(from.row(i)[c] / 4),
                   at = angle(behind, role, positions[i], head, c);
      const double dcos = dto.row(i)[2 * c], dsin = dto.row(i)[2 * c + 1];
      dfrom.row(i)[c] = size / 4 * (dcos * std::cos(at) + dsin * std::sin(at));
      if (role == Role::key) dbehind[head] += size * (dsin * std::cos(at) - dcos * std::sin(at));
    });
  }

 private:
  template <class Body>
  static void for_each(ConstMatrixView<double> from, const Body& body) {
    for (Index i = 0; i < from.rows; ++i)
      for (Index c = 0; c < from.cols; ++c) body(i, c / shape.d_head, c);
  }
  static double angle(const double* behind, Role role, Position position, Index head, Index c) {
    return static_cast<double>(position) / static_cast<double>(1 + c % shape.d_head) +
           (role == Role::key ? behind[head] : 0);
  }
};

struct Case {
  std::string name;
  Heads<double> heads;
};

struct Parts {
  std::vector<std::pair<std::string, std::function<std::unique_ptr<Normalizer<double>>()>>>
      normalizers;
  std::vector<std::pair<std::string, std::function<std::unique_ptr<PositionEncoding<double>>()>>>
      encodings;
};

template <class Made, class Contract>
std::function<std::unique_ptr<Contract>()> maker() {
  return [] { return std::make_unique<Made>(); };
}

/// The new parts with each other and with those of the catalogs.
std::vector<Case> every_case() {
  Parts fresh{{{"stick breaking", maker<StickBreaking, Normalizer<double>>()},
               {"tempered", maker<Tempered, Normalizer<double>>()},
               {"cosine", maker<Cosine, Normalizer<double>>()},
               {"sharpened", maker<Sharpened, Normalizer<double>>()}},
              {{"a window", maker<LearnedWindow, PositionEncoding<double>>()},
               {"gates", maker<Gates, PositionEncoding<double>>()},
               {"counted", maker<Counted, PositionEncoding<double>>()},
               {"polar", maker<Polar, PositionEncoding<double>>()}}};
  Parts known;
  for (const NormalizerEntry& entry : normalizer_catalog())
    known.normalizers.push_back(
        {entry.name,
         [&entry] { return normalizer_of(within_reach(entry.name)).make<double>(usual_shape); }});
  for (const std::string& name : every_position())
    known.encodings.push_back({name, [name] {
                                 return make_position<double>(name, {shape.heads, shape.d_head});
                               }});
  std::vector<Case> cases;
  const auto scalers = scaler_catalog();
  const auto add = [&](const auto& normalizer, const auto& encoding) {
    // Scalers in turn: each meets every kind of part.
    const std::string& scaler = scalers[cases.size() % scalers.size()].name;
    cases.push_back(
        {normalizer.first + " under " + encoding.first + ", scaler " + scaler,
         Heads<double>(shape, {scaler_of(scaler).make<double>(usual_shape), normalizer.second(),
                               encoding.second(), ScaledHeads::all})});
  };
  for (const auto& normalizer : fresh.normalizers) {
    for (const auto& encoding : fresh.encodings) add(normalizer, encoding);
    for (const auto& encoding : known.encodings) add(normalizer, encoding);
  }
  for (const auto& normalizer : known.normalizers)
    for (const auto& encoding : fresh.encodings) add(normalizer, encoding);
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
    const PackedRows asking = asking_for(found.heads, rows);
    // In this order, whatever the compiler's: the numbers are drawn from one generator.
    const LayerInputs<double> inputs(rng, asking, found.heads);
    const auto parameters = moved_parameters(found.heads, rng, 0.3);
    check_attention_gradient(found.heads, parameters, asking, inputs, rng);
  }
}

TEST_CASE("new normalizers and encodings stream what they attend to at once", "[property]") {
  const PackedRows few({600}, 5);
  std::uint64_t name = 200;
  for (const Case& found : every_case())
    for (const double size : {0.3, 6.0})
      for (const bool skip : {false, true}) {
        INFO(found.name << ", queries of size " << size << (skip ? ", skipping" : ""));
        Rng rng = random_numbers(++name);
        const AlignedVector<double> parameters = moved_parameters(found.heads, rng, 0.3);
        const PackedRows rows = asking_for(found.heads, few);
        const LayerInputs<double> in(rng, rows, found.heads, size);
        const auto expected = attended(found.heads, parameters, rows, in).numbers;
        double largest = 1;  // thresholded weights do not sum to 1, and grow with the scores
        for (const double number : expected) largest = std::max(largest, std::abs(number));
        CHECK(largest_difference(
                  streamed(found.heads, parameters, rows, in, skip, leave_alone).numbers,
                  expected) < 1e-11 * largest);
      }
}

TEST_CASE("keys outside a window are never touched", "[property]") {
  PackedRows last({600});
  last.packing.places = {590, 599};
  last.packing.query_rows = last.packing.places;
  last.packing.query_begin = {0, 2};
  const Heads<double> attention(
      shape, {scaler_of("none").make<double>(usual_shape), std::make_unique<StickBreaking>(),
              std::make_unique<LearnedWindow>(), ScaledHeads::all});
  Rng rng = random_numbers(300);
  const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.3);
  const LayerInputs<double> in(rng, last, shape.d_model());
  // Sigmoids of -infinity are 0, but 0 times NaN is not: a touched value would show.
  const auto poison = [](auto&, const std::vector<MatrixView<double>>& values) {
    for (const MatrixView<double>& of_head : values)
      for (Index j = 0; j < 256; ++j)
        std::fill_n(of_head.row(j), of_head.cols, std::numeric_limits<double>::quiet_NaN());
  };
  const auto with = [&](bool skip) {
    return streamed(attention, parameters, last, in, skip, poison).numbers;
  };
  CHECK(largest_difference(with(true), attended(attention, parameters, last, in).numbers) < 1e-12);
  CHECK_FALSE(std::isfinite(largest_difference(with(false), with(true))));
}
