// Every normalizer, scaler and encoding of the catalogs against tests/golden/variants.json, which
// numpy and scipy worked out from the papers' formulas. A part without a value there fails.

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "support/attending.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"

using namespace attnspan;

namespace {

using Golden = nlohmann::json;

const Golden& recorded() {
  static const Golden golden = [] {
    std::ifstream file(ATTNSPAN_GOLDEN "/variants.json");
    return Golden::parse(file);
  }();
  return golden;
}

/// A list, or the rows of a matrix one after another; null is -infinity.
void flatten(const Golden& value, AlignedVector<double>& into) {
  if (value.is_array())
    for (const Golden& item : value) flatten(item, into);
  else
    into.push_back(value.is_null() ? -std::numeric_limits<double>::infinity()
                                   : value.get<double>());
}
AlignedVector<double> numbers(const Golden& value) {
  AlignedVector<double> flat;
  flatten(value, flat);
  return flat;
}
Dense<double> matrix(const Golden& value) {
  Dense<double> dense(static_cast<Index>(value.size()), static_cast<Index>(value[0].size()));
  dense.numbers = numbers(value);
  return dense;
}

/// The recorded tensors in the order of the part's own, each of its shape.
AlignedVector<double> parameters_of(const std::vector<TensorSpec>& specs, const Golden& tensors) {
  AlignedVector<double> parameters;
  REQUIRE(specs.size() == tensors.size());
  for (const TensorSpec& spec : specs) {
    INFO(spec.name);
    const AlignedVector<double> flat = numbers(tensors.at(spec.name));
    REQUIRE(static_cast<Index>(tensors.at(spec.name).size()) == spec.rows);
    REQUIRE(static_cast<Index>(flat.size()) == spec.size());
    parameters.insert(parameters.end(), flat.begin(), flat.end());
  }
  return parameters;
}

/// Calls check(case, name) for the recorded cases of a kind, and looks for one of every entry.
template <class Entry, class Check>
void for_every_case(const char* kind, std::span<const Entry> catalog, const Check& check) {
  std::set<std::string> covered;
  for (const Golden& found : recorded().at(kind)) {
    const auto name = found.at("name").get<std::string>();
    INFO(name);
    covered.insert(name.substr(0, name.find(':')));
    check(found, name);
  }
  for (const Entry& entry : catalog) {
    INFO(entry.name << " needs a case in tests/golden/variants.py");
    CHECK(covered.contains(entry.name));
  }
}

}  // namespace

TEST_CASE("every normalizer has the recorded weights", "[golden]") {
  for_every_case("normalizers", normalizer_catalog(), [](const Golden& found, const auto& name) {
    const auto normalizer = normalizer_of(name).template make<double>(usual_shape);
    const AlignedVector<double> learned = numbers(found["learned"]),
                                scores = numbers(found["scores"]);
    REQUIRE(normalizer->parameters_per_head() == static_cast<Index>(learned.size()));
    const Normalizer<double>& tested = normalizer->at_evaluation();
    AlignedVector<double> weights(scores.size(), -1.0),
        state(static_cast<std::size_t>(tested.state_size()));
    tested.forward(learned.data(), scores.data(), static_cast<Index>(scores.size()), weights.data(),
                   state.data());
    CHECK(largest_difference(weights, numbers(found["weights"])) < 1e-12);
  });
}

TEST_CASE("every scaler has the recorded scales", "[golden]") {
  for_every_case("scalers", scaler_catalog(), [](const Golden& found, const auto& name) {
    const auto scaler = scaler_of(name).template make<double>(usual_shape);
    const Dense<double> x = matrix(found["x"]), expected = matrix(found["scales"]);
    const auto heads = found["heads"].template get<Index>();
    const AlignedVector<double> parameters =
        parameters_of(scaler->tensors(heads, x.cols), found["tensors"]);
    const auto places = found["places"].template get<std::vector<Index>>();
    Dense<double> s(x.rows, heads);
    scaler->at_evaluation().forward(parameters.data(), x.view(), places.data(), s.view(), {});
    for (std::size_t i = 0; i < s.numbers.size(); ++i)
      CHECK(s.numbers[i] == Approx(expected.numbers[i]).epsilon(1e-13));
  });
}

TEST_CASE("every encoding has the recorded attention", "[golden]") {
  for_every_case("positions", position_catalog(), [](const Golden& found, const auto& name) {
    const auto heads = found["heads"].template get<Index>();
    const auto positions = found["positions"].template get<std::vector<Position>>();
    const Index tokens = static_cast<Index>(positions.size());
    if (found.contains("added")) {  // to the embedding
      const Dense<double> expected = matrix(found["added"]);
      const auto encoding = make_position<double>(name, {heads, expected.cols / heads});
      const AlignedVector<double> parameters =
          parameters_of(encoding->embedding_tensors(), found["tensors"]);
      REQUIRE(encoding->embeds());
      Dense<double> stream(tokens, expected.cols, 1);
      encoding->embed(parameters.data(), positions.data(), stream.view());
      for (double& number : stream.numbers) number -= 1;
      CHECK(largest_difference(stream.numbers, expected.numbers) < 1e-14);
      return;
    }
    PackedRows rows({tokens});
    rows.positions = positions;
    Rng unused = random_numbers(1);
    LayerInputs<double> in(unused, rows, 1);
    in.q = matrix(found["q"]);
    in.k = matrix(found["k"]);
    in.v = matrix(found["v"]);
    in.x = in.context = matrix(found["x"]);
    const Heads<double> attention = heads_of<double>({heads, in.v.cols / heads}, "softmax", name);
    const AlignedVector<double> parameters =
        parameters_of(attention.position().tensors(), found["tensors"]);
    const AlignedVector<double> expected = numbers(found["output"]);
    CHECK(largest_difference(attended(attention, parameters, rows, in).numbers, expected) < 1e-12);
    CHECK(largest_difference(streamed(attention, parameters, rows, in, true, leave_alone).numbers,
                             expected) < 1e-12);
  });
}

TEST_CASE("attention of several views or of a selection has the recorded output", "[golden]") {
  for (const Golden& found : recorded().at("views")) {
    const auto name = found.at("name").get<std::string>();
    INFO(name);
    const auto heads = found["heads"].get<Index>();
    PackedRows rows({static_cast<Index>(found["q"].size())});
    Rng unused = random_numbers(1);
    LayerInputs<double> in(unused, rows, 1);
    in.q = matrix(found["q"]);
    in.k = matrix(found["k"]);
    in.v = in.x = in.context = matrix(found["v"]);
    const Heads<double> attention = heads_of<double>({heads, in.v.cols / heads}, name, "nope");
    const AlignedVector<double> learned = numbers(found["learned"]),
                                expected = numbers(found["output"]);
    CHECK(largest_difference(attended(attention, learned, rows, in).numbers, expected) < 1e-12);
    CHECK(largest_difference(streamed(attention, learned, rows, in, true, leave_alone).numbers,
                             expected) < 1e-12);
  }
  for (const NormalizerEntry& entry : normalizer_catalog()) {
    const auto normalizer = normalizer_of(entry.name).make<double>(usual_shape);
    if (normalizer->views() > 1 || normalizer->selective()) {
      INFO(entry.name << " needs a case in tests/golden/variants.py");
      CHECK(std::any_of(recorded().at("views").begin(), recorded().at("views").end(),
                        [&](const Golden& found) { return found["name"] == entry.name; }));
    }
  }
}
