// Streaming evaluation against the path that training takes.

#include "support/catch.hpp"
#include "support/models.hpp"
#include "support/names.hpp"
#include "support/training.hpp"

using namespace attnspan;

namespace {

double size_of(const auto& numbers) {
  double largest = 1;
  for (const auto number : numbers)
    largest = std::max(largest, std::abs(static_cast<double>(number)));
  return largest;
}

/// Both paths at these lengths, with and without skipping, for every alias and encoding.
/// `sharpness` is the size of the scores: with sharp attention there is much to skip.
template <class Real>
void check_paths(const std::vector<Index>& lengths, double sharpness, double bound) {
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    const Transformer<Real> model(small_model(attention, position));
    Rng rng = random_numbers(1);
    AlignedVector<Real> parameters = moved_parameters(model, rng, 0.05);
    for (const PlacedTensor& tensor : model.tensors())
      if (tensor.spec.name.find(".query") != std::string::npos)
        for (Index i = 0; i < tensor.spec.size(); ++i)
          parameters[static_cast<std::size_t>(tensor.offset + i)] =
              static_cast<Real>(sharpness / 4 * rng.normal());
    for (const Index length : lengths) {
      INFO(attention << " under " << position << ", " << length << " tokens");
      const PackedBatch batch = packed(model, {random_tokens(rng, length, 11)}, 3);
      const AlignedVector<Real> expected = model.logits(parameters, batch);
      REQUIRE(expected.size() == batch.answer_rows.size() * 11);
      for (const bool skip : {false, true}) {
        INFO((skip ? "skipping" : "whole"));
        CHECK(largest_difference(streamed(model, parameters, batch, skip), expected) <
              bound * size_of(expected));
      }
    }
  }
}

}  // namespace

TEST_CASE("streaming logits equal those of training", "[property]") {
  check_paths<double>({1, 2, 63, 64, 65}, 1, 1e-11);
  check_paths<double>({300}, 4, 1e-11);
}

// Scores of size 10 keep 2^-24 10 of themselves in float, and two layers of weights and norms pass
// it on a hundredfold at worst.
TEST_CASE("streaming float logits equal those of training over 1000 tokens", "[property]") {
  check_paths<float>({1000}, 3, 2e-4);
}

// With long gaps between the answers too: keys that matter to no later answer matter to earlier
// ones.
TEST_CASE("streaming answers only what is asked", "[unit]") {
  for (const std::string& attention : usual_variants()) {
    INFO(attention);
    const Transformer<double> model(small_model(attention, "nape"));
    Rng rng = random_numbers(2);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
    PackedBatch batch = packed(model, {random_tokens(rng, 2500, 11)});
    const AlignedVector<double> all = streamed(model, parameters, batch, false);
    for (const std::vector<Index>& answers :
         {std::vector<Index>{5, 6, 255, 256, 399}, std::vector<Index>{10, 20, 1900, 2490}}) {
      batch.answer_rows = answers;
      const AlignedVector<double> some = streamed(model, parameters, batch, true);
      REQUIRE(some.size() == answers.size() * 11);
      for (std::size_t i = 0; i < answers.size(); ++i)
        for (std::size_t j = 0; j < 11; ++j)
          CHECK(
              some[i * 11 + j] ==
              Approx(all[static_cast<std::size_t>(answers[i]) * 11 + j]).epsilon(0).margin(1e-11));
    }
  }
}

TEST_CASE("streaming gives the same bytes with any number of threads", "[property]") {
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    const Transformer<float> model(small_model(attention, position));
    Rng rng = random_numbers(3);
    const AlignedVector<float> parameters = moved_parameters(model, rng, 0.1);
    const PackedBatch batch = packed(model, {random_tokens(rng, 500, 11)}, 7);
    const auto streamed_on = [&](int count) {
      const Threads set(count);
      return streamed(model, parameters, batch, true);
    };
    const AlignedVector<float> one = streamed_on(1);
    for (const int count : {2, 3, 4}) {
      INFO(count << " threads");
      CHECK(streamed_on(count) == one);
    }
  }
}

TEST_CASE("streaming stops when told to", "[unit]") {
  const Transformer<float> model(small_model("softmax", "nope"));
  Rng rng = random_numbers(4);
  const AlignedVector<float> parameters = model.initial_parameters(1, 0);
  const PackedBatch batch = packed(model, {random_tokens(rng, 300, 11)});
  std::atomic<bool> stop{false};
  const auto logits = [&] {
    return model.stream_logits(parameters, batch.tokens, batch.positions, batch.answer_rows,
                               {.skip = true, .stop = &stop});
  };
  CHECK(logits().size() == 300 * 11);
  stop = true;
  CHECK(logits().empty());
}
