// Tidy CSV: one line a measurement. `statistic` says what a line is: "seed" (one seed's value),
// "mean" (over seeds), "with_lost" (over all seeds, lost ones at their worst), "difference" (to the
// baseline), "best_shortcut", "quantity" (what a sample holds: pairs, needles), or "lost" for a row
// of which nothing came out.
#include <cmath>

#include "core/names.hpp"
#include "report/format.hpp"
#include "report/layout.hpp"

namespace attnspan::formats {
namespace {

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

std::string line(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& cell : cells) text += (&cell == cells.data() ? "" : ",") + quoted(cell);
  return text + '\n';
}

std::string number(double value) { return std::isfinite(value) ? shortest(value) : ""; }

/// To six decimals: the last digits of intervals differ between compilers.
std::string bound(double value) { return number(std::round(value * 1e6) / 1e6); }

/// What a line says beside what its row says.
struct Measurement {
  const Accuracy* accuracy = nullptr;
  std::string statistic;
  std::string seed;
  std::string metric;
  double value = std::nan("");
  std::int64_t samples = 0;
  Interval ci95{std::nan(""), std::nan("")};
};

class Writer {
 public:
  explicit Writer(const TableRow& row)
      : row_{row.task,
             std::to_string(row.train_length),
             row.attention,
             row.position,
             row.label,
             selected_text(row),
             std::to_string(row.seeds.done),
             std::to_string(row.seeds.lost())} {}

  void add(const Measurement& measurement) {
    std::vector<std::string> cells = row_;
    const Accuracy* accuracy = measurement.accuracy;
    cells.push_back(accuracy ? shortest(accuracy->multiple) : "");
    cells.push_back(accuracy ? std::to_string(accuracy->length) : "");
    cells.insert(cells.end(), {measurement.statistic, measurement.seed, measurement.metric,
                               number(measurement.value), bound(measurement.ci95.low),
                               bound(measurement.ci95.high)});
    cells.push_back(accuracy ? std::to_string(measurement.samples) : "");
    text_ += line(cells);
  }

  const std::string& text() const { return text_; }

 private:
  std::vector<std::string> row_;
  std::string text_;
};

std::string row_text(const TableRow& row, const RowComparison& comparison) {
  Writer writer(row);
  const std::string metric(row.metric->name);
  for (const Accuracy& accuracy : row.accuracy) {
    const std::int64_t samples = accuracy.counts.samples;
    for (const Accuracy::Seed& seed : accuracy.seeds)
      writer.add({&accuracy, "seed", std::to_string(seed.seed), metric, seed.value, seed.samples});
    writer.add({&accuracy, "mean", "", metric, accuracy.value.mean, samples, accuracy.ci95});
    if (row.seeds.lost() > 0)
      writer.add({&accuracy, "with_lost", "", metric, accuracy.with_lost, samples});
    writer.add({&accuracy, "mean", "", "token_accuracy", accuracy.token_accuracy, samples});
    if (accuracy.shortcut)
      writer.add(
          {&accuracy, "best_shortcut", "", "exact_match", accuracy.shortcut->exact_match, samples});
    for (const Quantity& quantity : accuracy.quantities)
      writer.add(
          {&accuracy, "quantity", "", quantity.name, static_cast<double>(quantity.value), samples});
    if (const MultipleDifference* found = find_difference(comparison, accuracy.multiple))
      writer.add({&accuracy, "difference", "", metric, found->value, samples, found->ci95});
  }
  // A variant of which nothing came out must not vanish.
  if (row.accuracy.empty()) writer.add({nullptr, "lost", "", metric});
  return writer.text();
}

std::string render(const Comparison& comparison) {
  std::string text = line({"task", "train_length", "attention", "position", "label", "selected",
                           "seeds_done", "seeds_lost", "multiple", "length", "statistic", "seed",
                           "metric", "value", "ci95_low", "ci95_high", "samples"});
  for (std::size_t i = 0; i < comparison.rows.size(); ++i)
    text += row_text(comparison.rows[i], comparison.comparisons[i]);
  return text;
}

}  // namespace

FormatEntry csv() { return {"csv", "tidy CSV, one line a measurement", render}; }

}  // namespace attnspan::formats
