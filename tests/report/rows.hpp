#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/row.hpp"

namespace attnspan::test {

/// An evaluation with two answer tokens a sample, of which a sample that is not exact has one
/// right.
inline Evaluation evaluation(const std::string& split, double multiple, std::int64_t exact,
                             std::int64_t samples) {
  Evaluation evaluation;
  evaluation.split = split;
  evaluation.multiple = multiple;
  evaluation.length = static_cast<std::int64_t>(16 * multiple);
  evaluation.samples = samples;
  evaluation.exact = exact;
  evaluation.answer_tokens = 2 * samples;
  evaluation.right_tokens = samples + exact;
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
