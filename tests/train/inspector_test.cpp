// Figures of what heads do, where they can be worked out by hand.

#include "train/inspector.hpp"

#include <cmath>

#include "model/transformer.hpp"
#include "support/catch.hpp"
#include "support/training.hpp"

using namespace attnspan;

namespace {

/// A model whose queries are zero, so that all keys score alike.
struct EvenModel {
  NamedTask task = make_task("recall:pairs=3");
  ModelConfig config;
  std::vector<float> weights;

  explicit EvenModel(const std::string& attention, const std::string& position = "nope") {
    config.layers = 2;
    config.heads = 2;
    config.d_model = 8;
    config.d_ff = 8;
    config.vocabulary = task.task->vocabulary_size();
    config.attention = attention;
    config.position = position;
    const Transformer<float> model(config);
    const AlignedVector<float> start = model.initial_parameters(3, 0);
    weights.assign(start.begin(), start.end());
    for (const PlacedTensor& tensor : model.tensors())
      if (tensor.spec.name.ends_with("attention.query"))
        std::fill_n(weights.begin() + tensor.offset, tensor.spec.size(), 0.0F);
  }
};

EvaluationRequest request(std::int64_t length, std::int64_t samples = 2) {
  EvaluationRequest request;
  request.length = length;
  request.samples = samples;
  return request;
}

}  // namespace

TEST_CASE("attention to everything alike: entropy 1, every key used", "[golden]") {
  for (const char* attention : {"softmax", "entmax:1.5"})
    for (const std::int64_t length : {32, 2000}) {  // all rows, and some
      const EvenModel even(attention);
      const Inspected found = inspect(even.config, even.weights, *even.task.task, request(length));
      REQUIRE(found.figures.heads.size() == 4);
      CHECK(found.figures.samples == 2);
      for (const HeadFigures& head : found.figures.heads) {
        INFO(attention << " " << length << " " << head.layer << "." << head.head);
        CHECK(head.entropy == Approx(1).margin(1e-5));
        CHECK(head.support_share == Approx(1));
        CHECK(head.support > 0.7 * static_cast<double>(length));
        CHECK(head.score_range == 0);
        CHECK(head.scale.front() == 1);
        // One of about `length` tokens holds the answer.
        CHECK(head.answer_weight == Approx(1.0 / static_cast<double>(length)).epsilon(0.5));
        CHECK(std::isnan(head.mean_drift));
      }
      // Rows of the last bin see all keys, which bins share.
      REQUIRE(found.bins == 24);
      double sum = 0;
      for (std::int64_t key = 0; key < found.bins; ++key) {
        const double weight =
            found.maps[0].weight[static_cast<std::size_t>((found.bins - 1) * found.bins + key)];
        CHECK(weight == Approx(1.0 / 24).margin(0.03));
        sum += weight;
      }
      CHECK(sum == Approx(1).margin(1e-4));
      CHECK(found.maps[0].weight[1] == Approx(0).margin(0));  // keys after the row
    }
}

TEST_CASE("near heads see a few keys at any length, and do not drift", "[property]") {
  const EvenModel near("entmax:1.5", "nape:near=2");
  const Inspected short_one = inspect(near.config, near.weights, *near.task.task, request(64, 4));
  for (const HeadFigures& head : short_one.figures.heads) CHECK(head.support < 8);
  const Inspected long_one =
      inspect(near.config, near.weights, *near.task.task, request(3000), &short_one.outputs);
  for (std::size_t i = 0; i < 4; ++i) {
    const HeadFigures& head = long_one.figures.heads[i];
    CHECK(head.support == Approx(short_one.figures.heads[i].support).epsilon(0.02));
    CHECK(head.entropy < short_one.figures.heads[i].entropy);
    CHECK(head.mean_drift < 2);
  }
  // Against itself nothing drifts.
  const Inspected same =
      inspect(near.config, near.weights, *near.task.task, request(64, 4), &short_one.outputs);
  for (const HeadFigures& head : same.figures.heads) {
    CHECK(head.mean_drift == Approx(0).margin(1e-12));
    CHECK(head.spread_drift == Approx(1));
  }
}

TEST_CASE("figures are the same again, on any threads", "[property]") {
  const EvenModel model("asentmax", "nape");
  const auto text = [&] {
    return to_line(
        to_json(inspect(model.config, model.weights, *model.task.task, request(1500)).figures));
  };
  std::string one;
  {
    const Threads threads(1);
    one = text();
  }
  const Threads threads(3);
  CHECK(text() == one);
}

TEST_CASE("figures are read back as they were written", "[unit]") {
  const EvenModel model("softmax");
  const Json written =
      to_json(inspect(model.config, model.weights, *model.task.task, request(40)).figures);
  CHECK(to_json(read_attention_figures(Fields(written, "figures"))) == written);
}
