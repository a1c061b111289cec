#include "report/learning.hpp"

#include <algorithm>
#include <map>

namespace attnspan {

std::vector<MeanCurvePoint> mean_curve(std::span<const CellRow* const> cells) {
  struct Values {
    std::vector<double> exact_match, loss;
  };
  std::map<std::int64_t, Values> by_step;
  for (const CellRow* cell : cells)
    for (const CurvePoint& point : cell->train.curve) {
      by_step[point.step].exact_match.push_back(point.exact_match);
      by_step[point.step].loss.push_back(point.loss);
    }
  std::vector<MeanCurvePoint> curve;
  for (const auto& [step, values] : by_step)
    curve.push_back({step, static_cast<int>(values.loss.size()), spread(values.exact_match),
                     spread(values.loss)});
  return curve;
}

std::vector<LearningCost> learning_costs(std::span<const CellRow* const> cells) {
  std::vector<LearningCost> costs;
  for (const CellRow* cell : cells) {
    const TrainSummary& train = cell->train;
    const auto point = std::find_if(train.curve.begin(), train.curve.end(),
                                    [](const CurvePoint& at) { return at.exact_match >= learnt; });
    if (point == train.curve.end() || train.steps < point->step) continue;
    const double part = static_cast<double>(point->step) / static_cast<double>(train.steps);
    costs.push_back({point->step, part * static_cast<double>(train.tokens), part * train.seconds});
  }
  return costs;
}

}  // namespace attnspan
