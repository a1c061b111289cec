// Tidy CSV: one line a measurement, by the names of the JSON. `statistic` says what a line is:
// "seed" (one seed's value), "mean" (over seeds), "with_lost" (over all seeds, lost ones at their
// worst), "difference" (to the baseline), "best_shortcut", "shortcut" (each,
// of a task in bits per byte), "whole_window" and "position" (its bits per byte of all bytes, and
// of those with at most so many before them, and more than half as many), "quantity" (what a sample
// holds: pairs, needles), "depth" (one tenth of the sequence). Without a multiple: "chance",
// "span_point", "span_sure", "span_possible" (0 for none, empty where nothing was tested), and
// against the baseline "difference" and "adjusted_p" over all multiples.
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
  std::string seed;  ///< or the tenth, of a depth
  std::string metric;
  double value = std::nan("");
  std::int64_t samples = 0;
  Interval ci95{std::nan(""), std::nan("")};
};

/// "learning_rates=0.003 layers=2".
std::string selected_settings(const TableRow& row) {
  std::string text;
  for (const auto& item : row.selected.items())
    text += (text.empty() ? "" : " ") + item.key() + "=" +
            (item.value().is_string() ? item.value().get<std::string>() : to_line(item.value()));
  return text;
}

class Writer {
 public:
  explicit Writer(const TableRow& row)
      : row_{row.task,
             std::to_string(row.train_length),
             row.attention,
             row.position,
             row.label,
             selected_settings(row),
             std::to_string(row.seeds.done),
             std::to_string(row.seeds.lost())} {}

  void add(const Measurement& measurement) {
    std::vector<std::string> cells = row_;
    const Accuracy* accuracy = measurement.accuracy;
    cells.push_back(accuracy ? shortest(accuracy->multiple) : "");
    cells.push_back(accuracy ? std::to_string(accuracy->length) : "");
    const bool is_depth = measurement.statistic == "depth";
    cells.insert(cells.end(),
                 {measurement.statistic, is_depth ? "" : measurement.seed,
                  is_depth ? measurement.seed : "", measurement.metric, number(measurement.value),
                  bound(measurement.ci95.low), bound(measurement.ci95.high)});
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
    const std::string headline(row.headline->name);
    if (accuracy.shortcut)
      writer.add({&accuracy, "best_shortcut", "", headline, accuracy.shortcut->value, samples});
    for (const ShortcutScore& shortcut : accuracy.shortcuts)
      writer.add({&accuracy, "shortcut", shortcut.name, headline, shortcut.value, samples});
    if (!accuracy.counts.positions.empty())
      writer.add({&accuracy, "whole_window", "", headline, whole_window(accuracy.counts), samples});
    for (std::size_t k = 0; k < accuracy.counts.positions.size(); ++k)
      writer.add({&accuracy, "position", std::to_string(std::int64_t{1} << k), headline,
                  bits(accuracy.counts.positions[k]), samples});
    for (const Quantity& quantity : accuracy.quantities)
      writer.add(
          {&accuracy, "quantity", "", quantity.name, static_cast<double>(quantity.value), samples});
    if (const MultipleDifference* found = find_difference(comparison, accuracy.multiple))
      writer.add({&accuracy, "difference", "", metric, found->value, samples, found->ci95});
    for (std::size_t tenth = 0; tenth < accuracy.counts.depth.size(); ++tenth) {
      const DepthCount& depth = accuracy.counts.depth[tenth];
      writer.add({&accuracy, "depth", std::to_string(tenth), "exact_match",
                  share(depth.exact, depth.samples), depth.samples,
                  wilson(depth.exact, depth.samples)});
    }
  }
  writer.add({nullptr, "chance", "", metric, chance_of(row)});
  const auto span = [&](const char* statistic, const Span& multiple) {
    writer.add({nullptr, statistic, "", metric, multiple.value_or(std::nan(""))});
  };
  span("span_point", row.span.point);
  span("span_sure", row.span.sure);
  span("span_possible", row.span.possible);
  const PairedTest& test = comparison.test;
  if (test.seeds > 0)
    writer.add({nullptr, "difference", "", metric, test.difference, 0, test.ci95});
  if (comparison.verdict != Verdict::none)
    writer.add({nullptr, "adjusted_p", "", metric, std::round(comparison.adjusted_p * 1e6) / 1e6});
  return writer.text();
}

std::string render(const Comparison& comparison) {
  std::string text = line({"task", "train_length", "attention", "position", "label", "selected",
                           "seeds_done", "seeds_lost", "multiple", "length", "statistic", "seed",
                           "depth", "metric", "value", "ci95_low", "ci95_high", "samples"});
  for (std::size_t i = 0; i < comparison.rows.size(); ++i)
    text += row_text(comparison.rows[i], comparison.comparisons[i]);
  return text;
}

}  // namespace

FormatEntry csv() { return {"csv", "csv", "tidy CSV, one line a measurement", render}; }

}  // namespace attnspan::formats
