#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/row.hpp"

namespace attnspan::test {

/// An evaluation with two answer tokens a sample: the first samples are exact, those that are not
/// have one token right.
inline Evaluation evaluation(const std::string& split, double multiple, std::int64_t exact,
                             std::int64_t samples) {
  Evaluation evaluation;
  evaluation.split = split;
  evaluation.multiple = multiple;
  evaluation.length = static_cast<std::int64_t>(16 * multiple);
  evaluation.counts = {samples, exact, 2 * samples, samples + exact, -0.5, {}};
  for (std::int64_t i = 0; i < samples; ++i)
    evaluation.outcomes.push_back({i < exact, i < exact ? 2 : 1, i < exact ? 1.0 : 0.0});
  evaluation.seconds = 0.25;
  return evaluation;
}

/// A cell that is done: `validation` and each of `tests` are right samples of 100, the tests at
/// multiples 1, 4, 16, ...
inline CellRow cell(const std::string& attention, double learning_rate, int seed,
                    std::int64_t validation, const std::vector<std::int64_t>& tests) {
  CellRow row;
  row.key = "recall/" + attention + "/nape/n16/" + std::to_string(learning_rate) + "/" +
            std::to_string(seed);
  row.task = "recall";
  row.attention = attention;
  row.position = "nape";
  row.train_length = 16;
  row.learning_rate = learning_rate;
  row.seed = seed;
  row.settings = {{"task", "recall:queries=2"}, {"layers", 2}, {"steps", 1000}};
  row.numerics = 1;
  row.parameters = 70000;
  row.chance = 0.000244140625;
  row.token_chance = 0.015625;
  row.train = {1000, 2048000, 0.125, 12.5, 163840};
  row.evaluations.push_back(evaluation("validation", 1, validation, 100));
  double multiple = 1;
  for (const std::int64_t exact : tests) {
    row.evaluations.push_back(evaluation("test", multiple, exact, 100));
    multiple *= 4;
  }
  return row;
}

/// A cell that is not done.
inline CellRow lost_cell(const std::string& attention, double learning_rate, int seed,
                         Status status) {
  CellRow row = cell(attention, learning_rate, seed, 0, {});
  row.status = status;
  row.message = "the loss was not finite at step 17";
  row.evaluations.clear();
  return row;
}

}  // namespace attnspan::test
