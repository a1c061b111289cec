// Streaming evaluation against the straightforward path where rows are long: every two parts at
// 2,048 keys, every part alone at 65,536.

#include <algorithm>

#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

/// One sequence, of which a few rows ask, the last among them.
PackedRows few_of(Index tokens) {
  PackedRows rows({tokens});
  rows.packing.places =
      rows.packing.query_rows = {0, tokens / 3, tokens / 2 - 1, tokens / 2, tokens - 2, tokens - 1};
  rows.packing.query_begin = {0, rows.packing.queries()};
  return rows;
}

void check_length(const Variant& variant, Index tokens, const LayerShape& shape, double bound) {
  INFO(variant.attention << " under " << variant.position << ", " << tokens << " keys");
  const auto attention = heads_of<double>(shape, variant.attention, variant.position);
  const PackedRows rows = asking_for(attention, few_of(tokens));
  Rng rng = random_numbers(static_cast<std::uint64_t>(tokens));
  const AlignedVector<double> parameters = moved_parameters(attention, rng, 0.2);
  const LayerInputs<double> in(rng, rows, attention, 2);
  CHECK(largest_difference(streamed(attention, parameters, rows, in, true, leave_alone).numbers,
                           attended(attention, parameters, rows, in).numbers) < bound);
}

}  // namespace

TEST_CASE("every two parts stream at 2,048 keys", "[property]") {
  for (const Variant& variant : every_combination()) check_length(variant, 2048, {4, 4}, 1e-10);
}

TEST_CASE("every two parts occur together", "[unit]") {
  // Of those that go together; what does not is told in pairing_test.cpp.
  const std::vector<Variant> found = every_combination();
  const auto occurs = [&](const std::string& normalizer, const std::string& scaler,
                          const std::string& position) {
    return std::any_of(found.begin(), found.end(), [&](const Variant& variant) {
      const AttentionVariant named = attention_variant(variant.attention);
      return (normalizer.empty() || named.normalizer.entry->name == normalizer) &&
             (scaler.empty() || named.scaler.entry->name == scaler) &&
             (position.empty() || variant.position == position);
    });
  };
  for (const NormalizerEntry& normalizer : normalizer_catalog()) {
    for (const ScalerEntry& scaler : scaler_catalog()) {
      INFO(normalizer.name << " with " << scaler.name);
      CHECK(occurs(normalizer.name, scaler.name, "") ==
            Variant{normalizer.name + "+" + scaler.name, "nope"}.allowed());
    }
    for (const std::string& position : every_position()) {
      INFO(normalizer.name << " under " << position);
      CHECK(occurs(normalizer.name, "", position) == Variant{normalizer.name, position}.allowed());
    }
  }
  for (const ScalerEntry& scaler : scaler_catalog())
    for (const std::string& position : every_position()) {
      INFO(scaler.name << " under " << position);
      CHECK(occurs("", scaler.name, position));
    }
}

TEST_CASE("every part streams at 65,536 keys", "[slow]") {
  constexpr Index tokens = 65536;
  constexpr LayerShape shape{2, 4};  // every row asks where a normalizer is selective: minutes
  for (const NormalizerEntry& normalizer : normalizer_catalog())
    check_length({within_reach(normalizer.name), "nope"}, tokens, shape, 1e-9);
  for (const ScalerEntry& scaler : scaler_catalog())
    check_length({"softmax+" + scaler.name, "nope"}, tokens, shape, 1e-9);
  for (const std::string& position : every_position())
    check_length({"softmax", position}, tokens, shape, 1e-9);
}
