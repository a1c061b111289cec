#include "report/compare.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/catch.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;
using test::lost_cell;

namespace {

/// One cell a seed, from the right samples of 100 at multiples 1 and 4.
void add(Result& result, const std::string& attention, const Json& right_by_seed) {
  for (std::size_t seed = 0; seed < right_by_seed.size(); ++seed)
    result.cells.push_back(cell(attention, 0.001, static_cast<int>(seed), 100,
                                right_by_seed[seed].get<std::vector<std::int64_t>>()));
}

/// The same for three seeds.
Result three_seeds(const std::vector<std::int64_t>& softmax,
                   const std::vector<std::int64_t>& entmax) {
  Result result;
  for (int seed = 0; seed < 3; ++seed) {
    const auto place = static_cast<std::size_t>(seed);
    result.cells.push_back(cell("softmax", 0.001, seed, 100, {softmax[place]}));
    result.cells.push_back(cell("entmax", 0.001, seed, 100, {entmax[place]}));
  }
  return result;
}

const RowComparison& of(const Comparison& comparison, const std::string& variant) {
  for (std::size_t i = 0; i < comparison.rows.size(); ++i)
    if (variant_name(comparison.rows[i]) == variant) return comparison.comparisons[i];
  throw std::runtime_error("no row " + variant);
}

RowComparison entmax_against_softmax(const Result& result) {
  return of(compare({result}, "softmax"), "entmax/nape");
}

}  // namespace

TEST_CASE("Comparisons with a baseline are those that scipy works out", "[golden]") {
  const std::string path = std::string(ATTNSPAN_GOLDEN) + "/statistics.json";
  const Json golden = parse_json(read_file(path, 1 << 20), path, false)["comparison"];
  Result result;
  add(result, "softmax", golden["softmax"]);
  for (const Json& variant : golden["variants"])
    add(result, variant["attention"].get<std::string>(), variant["right"]);
  for (const char* baseline : {"softmax", "softmax/nape"}) {
    const Comparison comparison = compare({result}, baseline);
    CHECK(of(comparison, "softmax/nape").test.seeds == 0);
    for (const Json& variant : golden["variants"]) {
      const RowComparison& row = of(comparison, variant["attention"].get<std::string>() + "/nape");
      CHECK(row.baseline == "softmax/nape");
      CHECK(row.reason == "");
      CHECK(row.test.seeds == 4);
      CHECK(row.test.difference == Approx(variant["difference"].get<double>()));
      CHECK(row.test.standard_error == Approx(variant["standard_error"].get<double>()));
      CHECK(row.test.p == Approx(variant["p"].get<double>()));
      CHECK(row.test.ci95.low == Approx(variant["ci95"][0].get<double>()));
      CHECK(row.test.ci95.high == Approx(variant["ci95"][1].get<double>()));
      CHECK(row.adjusted_p == Approx(variant["adjusted_p"].get<double>()));
      const bool is_told = !variant.contains("power");
      CHECK(row.verdict == (is_told ? Verdict::better : Verdict::not_distinguishable));
      if (is_told) continue;
      CHECK(row.power == Approx(variant["power"].get<double>()).epsilon(1e-6));
      CHECK(row.seeds_needed == variant["seeds_needed"].get<int>());
    }
  }
}

TEST_CASE("Three seeds that all tell tell, and equal triples do not", "[unit]") {
  CHECK(entmax_against_softmax(three_seeds({0, 0, 0}, {100, 100, 100})).verdict == Verdict::better);
  CHECK(entmax_against_softmax(three_seeds({100, 100, 100}, {0, 0, 0})).verdict == Verdict::worse);
  const RowComparison equal = entmax_against_softmax(three_seeds({90, 80, 70}, {90, 80, 70}));
  CHECK(equal.verdict == Verdict::not_distinguishable);
  CHECK(equal.seeds_needed == std::nullopt);
  // The seeds agree to a hair, but one sample in a hundred is no difference.
  CHECK(entmax_against_softmax(three_seeds({50, 50, 50}, {51, 51, 51})).verdict ==
        Verdict::not_distinguishable);
}

TEST_CASE("Below three common seeds there is no verdict", "[unit]") {
  Result result = three_seeds({0, 0, 0}, {100, 100, 100});
  result.cells.pop_back();
  const RowComparison two = entmax_against_softmax(result);
  CHECK(two.verdict == Verdict::none);
  CHECK(two.reason == "a verdict needs 3 common seeds, and there are 2");
  CHECK(two.differences.size() == 1);
  // Seeds that the two do not share do not help.
  result.cells.push_back(cell("entmax", 0.001, 7, 100, {100}));
  CHECK(entmax_against_softmax(result).test.seeds == 2);
}

TEST_CASE("Samples are paired one by one", "[unit]") {
  // Half of the samples are right on either side: the same half, or the other one.
  Result same = three_seeds({50, 50, 50}, {50, 50, 50});
  Result other = same;
  for (CellRow& row : other.cells)
    if (row.attention == "entmax")
      std::reverse(row.evaluations[1].outcomes.begin(), row.evaluations[1].outcomes.end());
  CHECK(entmax_against_softmax(same).test.standard_error == 0);
  // Differences of +1 and -1: variance 100/99 over 100 samples, in each of 3 seeds.
  CHECK(entmax_against_softmax(other).test.standard_error == Approx(std::sqrt(3.0 / 99) / 3));
  // By counts alone they are independent: 2 x 0.25 / 100 in each of 3 seeds.
  for (CellRow& row : same.cells)
    for (Evaluation& evaluation : row.evaluations) evaluation.outcomes.clear();
  CHECK(entmax_against_softmax(same).test.standard_error == Approx(std::sqrt(3 * 0.005) / 3));
}

TEST_CASE("More samples on one side: those that both have are compared", "[unit]") {
  Result result = three_seeds({50, 50, 50}, {50, 50, 50});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") row.evaluations[1] = test::evaluation("test", 1, 50, 400);
  CHECK(entmax_against_softmax(result).test.difference == 0);
}

TEST_CASE("Lost seeds and multiples given up count as the worst", "[unit]") {
  Result result = three_seeds({90, 90, 90}, {90, 90, 90});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") {
      const std::string key = row.key;
      row = lost_cell("entmax", 0.001, row.seed, Status::diverged);
      row.key = key;
    }
  CHECK(entmax_against_softmax(result).test.difference == Approx(-0.9));
  CHECK(entmax_against_softmax(result).verdict == Verdict::worse);

  Result given_up = three_seeds({60, 60, 60}, {0, 0, 0});
  for (CellRow& row : given_up.cells)
    if (row.attention == "entmax") {
      row.evaluations[1] = test::evaluation("test", 1, 0, 0);
      row.evaluations[1].given_up = true;
    }
  CHECK(entmax_against_softmax(given_up).test.difference == Approx(-0.6));
  CHECK(entmax_against_softmax(given_up).verdict == Verdict::worse);
}

TEST_CASE("Only the multiples that both have are compared", "[unit]") {
  Result result = three_seeds({90, 80, 70}, {90, 80, 70});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") row.evaluations.push_back(test::evaluation("test", 4, 10, 100));
  const RowComparison comparison = entmax_against_softmax(result);
  REQUIRE(comparison.differences.size() == 1);
  CHECK(comparison.differences[0].multiple == 1);
  CHECK(comparison.test.difference == 0);
}

TEST_CASE("What differs in more than the compared axis is named, not compared", "[unit]") {
  Result result = three_seeds({0, 0, 0}, {100, 100, 100});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") row.settings["steps"] = 2000;
  RowComparison comparison = of(compare({result}, "softmax"), "entmax/nape steps=2000");
  CHECK(comparison.reason == "steps is 2000 here and 1000 there");
  CHECK(comparison.test.seeds == 0);
  CHECK(comparison.differences.empty());

  // Whatever is tuned for one is tuned for all.
  result = three_seeds({0, 0, 0}, {100, 100, 100});
  result.cells.push_back(cell("entmax", 0.002, 0, 50, {100}));
  CHECK(entmax_against_softmax(result).reason ==
        "what was tried of learning rate is [0.001,0.002] here and [0.001] there");

  // Another position is compared only with a baseline that names its own.
  result = three_seeds({0, 0, 0}, {100, 100, 100});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") row.position = "rope";
  CHECK(of(compare({result}, "softmax"), "entmax/rope").reason ==
        "position is rope here and nape there");
  CHECK(of(compare({result}, "softmax/nape"), "entmax/rope").verdict == Verdict::better);

  // Where no row is like it, the reason is that of the one under the same position.
  result = three_seeds({0, 0, 0}, {100, 100, 100});
  CellRow elsewhere = cell("softmax", 0.002, 0, 100, {0});
  elsewhere.position = "rope";
  result.cells.insert(result.cells.begin(), elsewhere);
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") row.learning_rate = 0.002;
  CHECK(entmax_against_softmax(result).reason ==
        "what was tried of learning rate is [0.002] here and [0.001] there");
}

TEST_CASE("What a search chose for each may differ where that is said", "[unit]") {
  Result result = three_seeds({0, 0, 0}, {100, 100, 100});
  for (CellRow& row : result.cells)
    if (row.attention == "entmax") {
      row.learning_rate = 0.002;
      row.settings["weight_decay"] = 0.3;
    } else {
      row.settings["weight_decay"] = 0.1;
    }
  const auto against_softmax = [&](const std::vector<std::string>& own) {
    return of(with_baseline(collect({result}), "softmax", own), "entmax/nape weight_decay=0.3");
  };
  CHECK(against_softmax({"learning_rates"}).reason == "weight decay is 0.3 here and 0.1 there");
  CHECK(against_softmax({"learning_rates", "weight_decay"}).verdict == Verdict::better);
  CHECK_THROWS_AS(against_softmax({"learning_rate"}), InputError);
}

TEST_CASE("Several runs: each row meets the baseline that is like it", "[unit]") {
  Result first = three_seeds({0, 0, 0}, {100, 100, 100});
  Result second = three_seeds({90, 90, 90}, {90, 90, 90});
  for (CellRow& row : second.cells) row.settings["layers"] = 3;
  const Comparison comparison = compare({first, second}, "softmax");
  REQUIRE(comparison.rows.size() == 4);
  CHECK(of(comparison, "entmax/nape layers=2").baseline == "softmax/nape layers=2");
  CHECK(of(comparison, "entmax/nape layers=2").verdict == Verdict::better);
  CHECK(of(comparison, "entmax/nape layers=3").verdict == Verdict::not_distinguishable);
}

TEST_CASE("Less is better where the metric says so", "[unit]") {
  Result result = three_seeds({0, 0, 0}, {0, 0, 0});
  for (CellRow& row : result.cells) {
    row.metric = &bits_per_byte();
    const double bits = row.attention == "entmax" ? 1.5 : 2;
    for (Evaluation& evaluation : row.evaluations) {
      evaluation.counts.log_likelihood = -bits;
      for (Outcome& outcome : evaluation.outcomes) outcome.value = bits;
    }
  }
  const RowComparison comparison = entmax_against_softmax(result);
  CHECK(comparison.test.difference == Approx(-0.5));
  CHECK(comparison.verdict == Verdict::better);
}

TEST_CASE("Differences at single multiples have intervals as wide as the samples ask for",
          "[unit]") {
  // Newcombe 1998, table II: 10 of 10 minus 0 of 10 is 0.6075 to 1; 0 minus 0 is +-0.2775.
  Result result = three_seeds({0, 0, 0}, {100, 100, 100});
  for (CellRow& row : result.cells) {
    row.evaluations[1] = test::evaluation("test", 1, row.attention == "entmax" ? 10 : 0, 10);
    row.evaluations.push_back(test::evaluation("test", 4, 0, 10));
  }
  std::erase_if(result.cells, [](const CellRow& row) { return row.seed > 0; });
  const RowComparison comparison = entmax_against_softmax(result);
  REQUIRE(comparison.differences.size() == 2);
  CHECK(comparison.differences[0].value == 1);
  CHECK(comparison.differences[0].ci95.low == Approx(0.6075).margin(5e-5));
  CHECK(comparison.differences[1].ci95.low == Approx(-0.2775).margin(5e-5));
  CHECK(comparison.differences[1].ci95.high == Approx(0.2775).margin(5e-5));
}

TEST_CASE("An unknown baseline names the nearest known one", "[unit]") {
  const auto complaint = [](const char* baseline) -> std::string {
    try {
      compare({three_seeds({1, 2, 3}, {1, 2, 3})}, baseline);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  CHECK(complaint("softmx").find("unknown baseline 'softmx'; did you mean 'softmax'?") == 0);
  CHECK(complaint("softmax/rope").find("Allowed: softmax, softmax/nape, entmax") !=
        std::string::npos);
}
