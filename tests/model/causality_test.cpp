// A later token never changes an earlier output.

#include "support/catch.hpp"
#include "support/models.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

/// Logits of the rows before `place`.
template <class Real>
AlignedVector<Real> before(AlignedVector<Real> logits, Index place) {
  logits.resize(static_cast<std::size_t>(place * 11));
  return logits;
}

/// Works out the logits of a sequence of this length and of the same with one token changed, for
/// every alias and encoding and a change at several places, and calls check(logits before the
/// place, the same after the change).
template <class Logits, class Check>
void for_every_change(Index length, const Logits& logits_of, const Check& check) {
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    const Transformer<float> model(small_model(attention, position));
    Rng rng = random_numbers(1);
    const AlignedVector<float> parameters = moved_parameters(model, rng, 0.1);
    const PackedBatch batch = packed(model, {random_tokens(rng, length, 11)});
    const AlignedVector<float> logits = logits_of(model, parameters, batch);
    for (const Index place : {Index{1}, length - 2}) {
      INFO(attention << " under " << position << ", token " << place << " of " << length);
      PackedBatch changed = batch;
      std::int32_t& token = changed.tokens[static_cast<std::size_t>(place)];
      token = (token + 5) % 11;
      const AlignedVector<float> other = logits_of(model, parameters, changed);
      check(before(logits, place), before(other, place));
      // The token itself matters to its own row and later ones.
      CHECK(largest_difference(logits, other) > 1e-3);
    }
  }
}

template <bool skip>
AlignedVector<float> streaming(const Transformer<float>& model,
                               const AlignedVector<float>& parameters, const PackedBatch& batch) {
  return streamed(model, parameters, batch, skip);
}

}  // namespace

TEST_CASE("a later token leaves earlier logits bit for bit the same in training", "[property]") {
  for_every_change(
      130,
      [](const Transformer<float>& model, const AlignedVector<float>& parameters,
         const PackedBatch& batch) { return model.logits(parameters, batch); },
      [](const AlignedVector<float>& logits, const AlignedVector<float>& changed) {
        CHECK(logits == changed);
      });
}

TEST_CASE("a later token leaves earlier logits bit for bit the same in streaming", "[property]") {
  for_every_change(300, streaming<false>,
                   [](const AlignedVector<float>& logits, const AlignedVector<float>& changed) {
                     CHECK(logits == changed);
                   });
}

// A later token moves the bound of the block of keys it stands in, so that a block which cannot
// matter may be worked out or not: earlier logits may change by rounding.
TEST_CASE("a later token leaves earlier logits the same in streaming with skipping", "[property]") {
  for_every_change(300, streaming<true>,
                   [](const AlignedVector<float>& logits, const AlignedVector<float>& changed) {
                     CHECK(largest_difference(logits, changed) < 2e-5);
                   });
}

TEST_CASE("a sequence that ends early has the logits of the longer one", "[property]") {
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    const Transformer<double> model(small_model(attention, position));
    Rng rng = random_numbers(2);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
    std::vector<std::int32_t> tokens = random_tokens(rng, 100, 11);
    const AlignedVector<double> all = model.logits(parameters, packed(model, {tokens}));
    for (const std::size_t length : {1u, 2u, 64u, 65u, 99u}) {
      const std::vector<std::int32_t> start(tokens.begin(),
                                            tokens.begin() + static_cast<std::ptrdiff_t>(length));
      CHECK(largest_difference(model.logits(parameters, packed(model, {start})),
                               before(all, static_cast<Index>(length))) < 1e-11);
    }
  }
}

TEST_CASE("sequences in one batch do not see each other", "[property]") {
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    const Transformer<double> model(small_model(attention, position));
    Rng rng = random_numbers(3);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.1);
    const auto a = random_tokens(rng, 70, 11), b = random_tokens(rng, 13, 11);
    AlignedVector<double> apart = model.logits(parameters, packed(model, {a}, 4));
    const AlignedVector<double> second = model.logits(parameters, packed(model, {b}, 4));
    apart.insert(apart.end(), second.begin(), second.end());
    CHECK(largest_difference(model.logits(parameters, packed(model, {a, b}, 4)), apart) < 1e-11);
  }
}
