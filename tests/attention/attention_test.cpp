// The attention driver against formulas worked out one number at a time.

#include "attention/variant.hpp"
#include "core/error.hpp"
#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/naive.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

constexpr LayerShape shape{4, 4};

naive::Matrix rows_of(const Dense<double>& m, Index first, Index count) {
  naive::Matrix rows;
  for (Index i = first; i < first + count; ++i)
    rows.emplace_back(m.view().row(i), m.view().row(i) + m.cols);
  return rows;
}

naive::Parameters named_parameters(const Heads<double>& attention,
                                   const AlignedVector<double>& parameters) {
  naive::Parameters named;
  auto at = parameters.begin();
  for (const TensorSpec& spec : attention.tensors()) {
    named[spec.name].assign(at, at + spec.size());
    at += spec.size();
  }
  return named;
}

}  // namespace

TEST_CASE("attention equals its formulas, one number at a time", "[property]") {
  const std::vector<Index> lengths{70, 1, 23};
  const PackedRows rows(lengths);
  for (const char* normalizer : {"softmax", "entmax:1.5", "entmax:2", "entmax:1.3"})
    for (const char* scaler : {"none", "log", "adaptive"})
      for (const char* position : {"nope", "rope", "alibi", "nape"}) {
        INFO(normalizer << "+" << scaler << " under " << position);
        Rng rng = random_numbers(1);
        const Heads<double> attention =
            heads_of<double>(shape, std::string(normalizer) + "+" + scaler, position);
        const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.3);
        const LayerInputs<double> in(rng, rows, shape.d_model(), 2);
        const Dense<double> output = attended(attention, parameters, rows, in);
        for (std::size_t s = 0; s < lengths.size(); ++s) {
          const Index first = rows.packing.key_begin[s];
          const naive::Matrix expected = naive::attention(
              normalizer, scaler, position, shape.heads, named_parameters(attention, parameters),
              rows_of(in.x, first, lengths[s]), rows_of(in.q, first, lengths[s]),
              rows_of(in.k, first, lengths[s]), rows_of(in.v, first, lengths[s]));
          const naive::Matrix found = rows_of(output, first, lengths[s]);
          for (std::size_t i = 0; i < expected.size(); ++i)
            REQUIRE(largest_difference(found[i], expected[i]) < 1e-12);
        }
      }
}

TEST_CASE("rows that ask alone get what they get among all", "[property]") {
  const PackedRows all({70, 23}), few({70, 23}, 9);
  for (const Variant& named : every_combination()) {
    const std::string &variant = named.attention, &position = named.position;
    INFO(variant << " under " << position);
    Rng rng = random_numbers(2);
    const Heads<double> attention = heads_of<double>(shape, variant, position);
    if (attention.normalizer(Phase::training).selective()) continue;  // there every row asks
    const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.3);
    const LayerInputs<double> in(rng, all, attention);
    LayerInputs<double> asked = in;
    asked.x = Dense<double>(few.packing.queries(), in.x.cols);
    asked.q = Dense<double>(few.packing.queries(), in.q.cols);
    for (Index i = 0; i < asked.q.rows; ++i) {
      const Index row = few.packing.query_rows[static_cast<std::size_t>(i)];
      std::copy_n(in.x.view().row(row), asked.x.cols, asked.x.view().row(i));
      std::copy_n(in.q.view().row(row), asked.q.cols, asked.q.view().row(i));
    }
    const Dense<double> output = attended(attention, parameters, all, in);
    const Dense<double> alone = attended(attention, parameters, few, asked);
    for (Index i = 0; i < alone.rows; ++i)
      for (Index j = 0; j < alone.cols; ++j)
        REQUIRE(alone(i, j) ==
                Approx(output(few.packing.query_rows[static_cast<std::size_t>(i)], j))
                    .epsilon(0)
                    .margin(1e-13));
  }
}

TEST_CASE("under nape only the heads without a bias are scaled", "[unit]") {
  const Heads<double> log = heads_of<double>(shape, "ssmax", "nape");
  REQUIRE(log.tensors().size() == 1);
  CHECK(log.tensors()[0].name == "scaler.scale");
  CHECK(log.tensors()[0].size() == 2);
  CHECK(heads_of<double>(shape, "ssmax", "alibi").tensors()[0].size() == 4);
  CHECK(heads_of<double>(shape, "softmax", "nape").tensors().empty());
  const Heads<double> adaptive = heads_of<double>(shape, "asentmax", "nope");
  REQUIRE(adaptive.tensors().size() == 3);
  CHECK(adaptive.tensors()[0].rows == 16);
  CHECK(adaptive.tensors()[0].cols == 8);
}

TEST_CASE("equal keys are counted only where nothing tells them apart", "[unit]") {
  const auto countable = [](const char* variant, const char* position) {
    std::string heads;
    const Heads<float> attention = heads_of<float>(shape, variant, position);
    for (Index head = 0; head < shape.heads; ++head)
      heads += HeadStreaming<float>(attention).countable(head) ? "1" : "0";
    return heads;
  };
  CHECK(countable("softmax", "nope") == "1111");
  CHECK(countable("asentmax", "nope") == "1111");
  CHECK(countable("softmax", "nape") == "0011");
  CHECK(countable("softmax", "alibi") == "0000");
  CHECK(countable("softmax", "rope") == "0000");
}

TEST_CASE("variants have one name however they are written", "[unit]") {
  CHECK(attention_variant("softmax").name == "softmax");
  CHECK(attention_variant("softmax+none").name == "softmax");
  CHECK(attention_variant("softmax+log").name == "ssmax");
  CHECK(attention_variant("entmax:1.5").name == "entmax");
  CHECK(attention_variant("entmax:2").name == "sparsemax");
  CHECK(attention_variant("entmax+adaptive").name == "asentmax");
  CHECK(attention_variant("entmax:1.50+adaptive").name == "asentmax");
  CHECK(attention_variant("entmax:1.3").name == "entmax:1.3+none");
  CHECK(attention_variant("softmax+adaptive").name == "softmax+adaptive");
  CHECK(attention_variant("entmax:alpha=1.3").name == "entmax:1.3+none");
  CHECK(attention_variant("entmax:1.5+log").name == "entmax:1.5+log");
  CHECK(attention_variant("entmax+log").name == "entmax:1.5+log");
  CHECK(attention_variant("sparsemax").normalizer.arguments.number("alpha") == 2);
  CHECK(attention_variant("asentmax").scaler.entry->name == "adaptive");
  for (const std::string& pair : every_pairing()) {
    const std::string name = attention_variant(pair).name;
    CHECK(attention_variant(name).name == name);
  }
}

TEST_CASE("variants that do not exist are refused", "[unit]") {
  for (const char* name :
       {"", "sofmax", "softmax:2", "entmax:1", "entmax:0.5", "entmax:abc", "entmax:", "entmax:nan",
        "entmax:65", "softmax+", "+log", "softmax+logg", "softmax+log+log", "asentmax+log"}) {
    INFO("'" << name << "'");
    CHECK_THROWS_AS(attention_variant(name), InputError);
  }
  try {
    attention_variant("sofmax");
    FAIL("not refused");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()).find("softmax") != std::string::npos);
  }
  CHECK_THROWS_WITH(attention_variant("asentmax:2"),
                    "attention asentmax stands for entmax:1.5+adaptive as it is; write that out to "
                    "change it.");
  CHECK_THROWS_AS(heads_of<float>(shape, "softmax", "alibbi"), InputError);
}
