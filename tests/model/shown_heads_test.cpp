// What is shown of the heads against the path that training takes, for every part.

#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/models.hpp"
#include "support/names.hpp"

using namespace attnspan;

TEST_CASE("rows are shown as heads attend to them at once", "[property]") {
  constexpr Index tokens = 90;
  for (const Variant& named : every_model()) {
    INFO(named.attention << " under " << named.position);
    const Transformer<double> model(small_model(named.attention, named.position));
    const Attention<double>& layer = model.attention(0);
    if (layer.heads().position().embeds()) continue;  // the stream is more than the embedding
    Rng rng = random_numbers(7);
    const AlignedVector<double> parameters = moved_parameters(model, rng, 0.3);
    const std::vector<std::int32_t> sequence = random_tokens(rng, tokens, 11);
    PackedRows rows({tokens});
    rows.positions = positions_of(model, tokens);
    const double *embedding = nullptr, *own = nullptr;
    for (const PlacedTensor& tensor : model.tensors()) {
      if (tensor.spec.name == "embedding") embedding = parameters.data() + tensor.offset;
      if (tensor.spec.name == "layer0.attention.norm") own = parameters.data() + tensor.offset;
    }
    const Index d = model.config().d_model, wide = layer.heads().shape().d_head;
    Dense<double> stream(tokens, d), output(tokens, d);
    for (Index i = 0; i < tokens; ++i)
      std::copy_n(embedding + sequence[static_cast<std::size_t>(i)] * d, d, stream.view().row(i));
    AttentionTrace<double> trace;
    layer.forward(own, Phase::evaluation, rows.placed(), stream.view(), output.view(), trace);

    const std::vector<Index> places{80, 0, 33};
    int shown = 0;
    const auto show = [&](Index of_layer, const AttentionRow<double>& row) {
      if (of_layer != 0) return;
      ++shown;
      INFO("head " << row.head << ", row " << row.place);
      const double* attended = trace.attended.data() + row.place * layer.width() + row.head * wide;
      for (Index c = 0; c < wide; ++c)
        CHECK(row.output[static_cast<std::size_t>(c)] ==
              Approx(attended[c]).epsilon(0).margin(1e-11));
    };
    model.stream_logits(parameters, sequence, rows.positions, std::vector<Index>{tokens - 1},
                        {.skip = false, .stop = nullptr, .shown = places, .show = show});
    CHECK(shown == 12);
  }
}
