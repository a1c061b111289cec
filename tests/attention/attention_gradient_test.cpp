#include "support/attention_gradient.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

constexpr LayerShape shape{4, 4};

/// Every scaler x normalizer x encoding over these rows. A gradient that may vanish is there in one
/// of the models at least.
void check_every_pairing(const PackedRows& few) {
  std::uint64_t name = 0;
  std::map<std::string, bool> is_there;
  for (const Variant& named : every_combination()) {
    const std::string &variant = named.attention, &position = named.position;
    INFO(variant << " under " << position);
    Rng rng = random_numbers(++name);
    const Heads<double> attention = heads_of<double>(shape, variant, position);
    const PackedRows rows = asking_for(attention, few);
    const auto found =
        check_attention_gradient(attention, moved_parameters(attention, rng, 0.3), rows,
                                 LayerInputs<double>(rng, rows, attention), rng);
    const std::string normalizer = attention_variant(variant).normalizer.brief();
    for (const auto& [tensor, there] : found) {
      const std::string part = tensor.starts_with("normalizer.") ? normalizer : position;
      bool& any = is_there[part + ", " + tensor];
      any = any || there;
    }
  }
  CHECK_FALSE(is_there.empty());
  for (const auto& [tensor, any] : is_there) {
    INFO(tensor);
    CHECK(any);
  }
}

}  // namespace

// 70 rows are more than one tile; two sequences of other lengths show a mixed-up offset.
TEST_CASE("gradient of every scaler, normalizer and encoding", "[gradient]") {
  check_every_pairing(PackedRows({70, 1, 23}));
}

TEST_CASE("gradient of every pairing where few rows ask", "[gradient]") {
  check_every_pairing(PackedRows({23, 70}, 11));
}

TEST_CASE("gradient of other alphas through the driver", "[gradient]") {
  const PackedRows rows({20, 9});
  for (const char* variant : {"entmax:1.2+adaptive", "sparsemax", "entmax:2+adaptive"}) {
    INFO(variant);
    Rng rng = random_numbers(3);
    const Heads<double> attention = heads_of<double>(shape, variant, "nape");
    check_attention_gradient(attention, moved_parameters(attention, rng, 0.3), rows,
                             LayerInputs<double>(rng, rows, attention), rng);
  }
}
