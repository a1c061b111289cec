// What the heads do, row by row: held against attention worked out from the formulas, which shares
// no code with it.

#include <cmath>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/models.hpp"
#include "support/naive.hpp"

using namespace attnspan;
using naive::Matrix;
using naive::Row;

namespace {

struct Variant {
  const char *attention, *position, *normalizer, *scaler;
};
const Variant variants[] = {{"softmax", "nope", "softmax", "none"},
                            {"ssmax", "nape", "softmax", "log"},
                            {"asentmax", "nape", "entmax:1.5", "adaptive"},
                            {"entmax:1.25", "rope", "entmax:1.25", "none"}};

/// A model's tensors by name.
naive::Parameters named(const Transformer<double>& model, const AlignedVector<double>& parameters) {
  naive::Parameters by_name;
  for (const PlacedTensor& tensor : model.tensors())
    by_name[tensor.spec.name] = {parameters.begin() + tensor.offset,
                                 parameters.begin() + tensor.offset + tensor.spec.size()};
  return by_name;
}

Row times(const Row& x, const Row& weights, std::size_t first, std::size_t count,
          std::size_t columns) {
  Row y(count, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < count; ++j) y[j] += x[i] * weights[i * columns + first + j];
  return y;
}

/// Scores and weights of a head's row in the first layer, whose input is the embedding.
struct Expected {
  Row scores, weights, output;
};

class FirstLayer {
 public:
  FirstLayer(const Variant& variant, const ModelConfig& config, const naive::Parameters& all,
             const std::vector<std::int32_t>& tokens)
      : variant_(variant), heads_(static_cast<std::size_t>(config.heads)) {
    const auto d = static_cast<std::size_t>(config.d_model);
    d_ = d / heads_;
    const std::string owner = "layer0.attention.";
    for (const auto& [name, values] : all)
      if (name.rfind(owner, 0) == 0) own_[name.substr(owner.size())] = values;
    for (const std::int32_t token : tokens) {
      Row x(d);
      double squares = 0;
      for (std::size_t j = 0; j < d; ++j) {
        x[j] = all.at("embedding")[static_cast<std::size_t>(token) * d + j];
        squares += x[j] * x[j];
      }
      const double shorten = 1 / std::sqrt(squares / static_cast<double>(d) + 1e-6);
      for (std::size_t j = 0; j < d; ++j) x[j] *= shorten * own_.at("norm")[j];
      queries_.push_back(times(x, own_.at("query"), 0, d, d));
      keys_.push_back(times(x, own_.at("key_value"), 0, d, 2 * d));
      values_.push_back(times(x, own_.at("key_value"), d, d, 2 * d));
      x_.push_back(std::move(x));
    }
  }

  double scale(std::size_t i, std::size_t h) const {
    if (!naive::scaled(variant_.position, h, heads_)) return 1;
    std::size_t index = 0, all = 0;
    for (std::size_t other = 0; other < heads_; ++other) {
      if (!naive::scaled(variant_.position, other, heads_)) continue;
      index += other < h ? 1 : 0;
      ++all;
    }
    return naive::scale(variant_.scaler, own_, x_[i], i, index, all);
  }

  Expected row(std::size_t i, std::size_t h) const {
    Expected found;
    const Row query = naive::turned(variant_.position, part(queries_[i], h), i);
    for (std::size_t j = 0; j <= i; ++j) {
      const Row key = naive::turned(variant_.position, part(keys_[j], h), j);
      double product = 0;
      for (std::size_t c = 0; c < d_; ++c) product += scale(i, h) * query[c] * key[c];
      found.scores.push_back(product / std::sqrt(static_cast<double>(d_)) -
                             naive::slope(variant_.position, h, heads_) *
                                 static_cast<double>(i - j));
    }
    found.weights = naive::normalize(variant_.normalizer, found.scores);
    found.output.assign(d_, 0.0);
    for (std::size_t j = 0; j <= i; ++j)
      for (std::size_t c = 0; c < d_; ++c)
        found.output[c] += found.weights[j] * part(values_[j], h)[c];
    return found;
  }

 private:
  Row part(const Row& vector, std::size_t h) const {
    return Row(vector.begin() + static_cast<std::ptrdiff_t>(h * d_),
               vector.begin() + static_cast<std::ptrdiff_t>((h + 1) * d_));
  }

  Variant variant_;
  std::size_t heads_, d_;
  naive::Parameters own_;
  Matrix x_, queries_, keys_, values_;
};

}  // namespace

TEST_CASE("rows that are shown are those of the formulas", "[golden]") {
  for (const Variant& variant : variants) {
    INFO(variant.attention << " " << variant.position);
    const Transformer<double> model(small_model(variant.attention, variant.position));
    Rng rng = random_numbers(7);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.6);
    const std::vector<std::int32_t> tokens = random_tokens(rng, 150, model.config().vocabulary);
    const FirstLayer expected(variant, model.config(), named(model, parameters), tokens);
    const std::vector<Index> places{0, 1, 40, 127, 128, 149}, answers{149};
    int rows = 0, left_out = 0;
    Transformer<double>::StreamingOptions options;
    options.shown = places;
    options.show = [&](Index layer, const AttentionRow<double>& row) {
      ++rows;
      const auto place = static_cast<std::size_t>(row.place);
      REQUIRE(row.weights.size() == place + 1);
      REQUIRE(row.scores.size() == place + 1);
      double sum = 0;
      for (const double weight : row.weights) sum += weight;
      CHECK(sum == Approx(1).margin(1e-9));
      if (layer > 0) return;
      const auto head = static_cast<std::size_t>(row.head);
      const Expected right = expected.row(place, head);
      CHECK(row.scale == Approx(expected.scale(place, head)));
      std::size_t used = 0, right_used = 0;
      for (std::size_t j = 0; j <= place; ++j) {
        CHECK(row.scores[j] == Approx(right.scores[j]).margin(1e-9));
        CHECK(row.weights[j] == Approx(right.weights[j]).margin(1e-9));
        used += row.weights[j] != 0 ? 1 : 0;
        right_used += right.weights[j] != 0 ? 1 : 0;
        left_out += row.weights[j] == 0 ? 1 : 0;
      }
      CHECK(used == right_used);
      for (std::size_t c = 0; c < row.output.size(); ++c)
        CHECK(row.output[c] == Approx(right.output[c]).margin(1e-9));
    };
    const std::vector<Position> positions = positions_of(model, 150);
    const AlignedVector<double> logits =
        model.stream_logits(parameters, tokens, positions, answers, options);
    CHECK(rows == 2 * 4 * std::ssize(places));
    CHECK((left_out > 0) == (std::string(variant.normalizer) != "softmax"));
    // Looking changes nothing.
    CHECK(logits == model.stream_logits(parameters, tokens, positions, answers, {}));
  }
}

TEST_CASE("every variant's rows can be shown, and give what the heads put out", "[property]") {
  for (const char* attention :
       {"softmax", "threshold", "tda", "lssar", "stick-breaking", "sigmoid", "top-k", "softpick"})
    for (const char* position : {"nope", "cope", "fox", "t5", "rope"}) {
      ModelConfig config = small_model(attention, position);
      INFO(attention << " " << position);
      try {
        check(config);
      } catch (const InputError&) {
        continue;
      }
      const Transformer<double> model(config);
      Rng rng = random_numbers(8);
      const AlignedVector<double> parameters = moved_parameters(model, rng, 0.3);
      const std::vector<std::int32_t> tokens = random_tokens(rng, 40, config.vocabulary);
      const std::vector<Index> places{39};
      int rows = 0;
      Transformer<double>::StreamingOptions options;
      options.shown = places;
      options.show = [&](Index, const AttentionRow<double>& row) {
        ++rows;
        for (const double weight : row.weights) CHECK(std::isfinite(weight));
      };
      model.stream_logits(parameters, tokens, positions_of(model, 40), places, options);
      CHECK(rows == 8);
    }
}
