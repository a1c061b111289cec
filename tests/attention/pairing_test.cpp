// Which parts go together, and what is said of those that do not.

#include "model/config.hpp"
#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

void parts(const std::string& attention, const std::string& position) {
  make_parts<float>({4, 4}, attention, position);
}

}  // namespace

TEST_CASE("pairings that make no sense are refused with the reason", "[unit]") {
  CHECK_THROWS_WITH(parts("stick-breaking", "rope"),
                    "attention stick-breaking tells positions apart by itself; use it with "
                    "position nope, not rope.");
  CHECK_THROWS_WITH(parts("threshold+log", "nope"),
                    "attention threshold compares directions and has a length rule of its own; use "
                    "it without a scaler, not with log.");
  CHECK_THROWS_WITH(parts("lssar+log@evaluation", "nope"), containing("without a scaler"));
  CHECK_THROWS_WITH(parts("lssar", "pope"),
                    "attention lssar compares directions, which position pope does not keep; use "
                    "another encoding.");
  CHECK_THROWS_WITH(parts("tda", "cope"),
                    "attention tda compares directions, and position cope adds products with "
                    "queries of any length; use another encoding.");
  CHECK_THROWS_WITH(parts("selective", "hard-alibi"),
                    "attention selective selects by the first head, which under position "
                    "hard-alibi sees no token but its own; use another encoding.");
  CHECK_NOTHROW(parts("selective", "hard-alibi:0"));
  CHECK_THROWS_WITH((make_parts<float>({4, 1}, "lssar", "nope")), containing("head width"));
  CHECK_NOTHROW(parts("threshold", "rope"));
}

TEST_CASE("a scaler that would scale nothing is refused", "[unit]") {
  ModelConfig config;
  config.vocabulary = 9;
  config.attention = "ssmax";
  for (const char* position : {"window", "nape:near=8", "hard-alibi:8~nape:near=8"}) {
    INFO(position);
    config.position = position;
    CHECK_THROWS_WITH(check(config), containing("no head has scores to scale"));
  }
  for (const char* position : {"window:scaled=all", "nape:near=8~nape", "alibi"}) {
    INFO(position);
    config.position = position;
    CHECK_NOTHROW(check(config));
  }
  config.attention = "softmax";
  config.position = "window";
  CHECK_NOTHROW(check(config));
}

TEST_CASE("a scaler may scale at evaluation only", "[unit]") {
  CHECK(attention_variant("ssmax@evaluation").name == "softmax+log@evaluation");
  CHECK(attention_variant("softmax+log:start=mean@evaluation").name ==
        "softmax+log:start=mean@evaluation");
  CHECK_THROWS_WITH(attention_variant("softmax@evaluation"), containing("no scaler"));
  CHECK_THROWS_WITH(attention_variant("ssmax@training"), containing("@evaluation"));

  const LayerShape shape{2, 4};
  const PackedRows rows({30});
  Rng rng = random_numbers(1);
  const LayerInputs<double> in(rng, rows, shape.d_model(), 2);
  const auto both = heads_of<double>(shape, "ssmax@evaluation", "nope"),
             scaled = heads_of<double>(shape, "ssmax", "nope"),
             plain = heads_of<double>(shape, "softmax", "nope");
  const AlignedVector<double> parameters{0.7, 1.4};
  CHECK(attended(both, parameters, rows, in, Phase::training).numbers ==
        attended(plain, {}, rows, in, Phase::training).numbers);
  CHECK(attended(both, parameters, rows, in, Phase::evaluation).numbers ==
        attended(scaled, parameters, rows, in, Phase::evaluation).numbers);
}
