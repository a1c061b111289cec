#include "report/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "core/names.hpp"

namespace attnspan {
namespace {

/// No printf: its decimal point depends on the locale.
std::string fixed(double value, int decimals) {
  std::array<char, 400> buffer;
  // The sum turns -0.0 into 0.0; so does the end, for what rounds to it.
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value + 0.0,
                                 std::chars_format::fixed, decimals);
  std::string text(buffer.data(), end.ptr);
  if (text.find_first_of("123456789") == std::string::npos && text.front() == '-') text.erase(0, 1);
  return text;
}

std::string probability_text(double p) { return p < 0.001 ? "p < 0.001" : "p = " + fixed(p, 3); }

}  // namespace

std::string value_text(double value, const Metric& metric) {
  return metric.is_share ? fixed(100 * value, 1) : fixed(value, 3);
}

std::string short_value_text(double value, const Metric& metric) {
  return metric.is_share ? fixed(100 * value, 0) : fixed(value, 2);
}

std::string difference_text(double value, const Metric& metric) {
  const std::string text = value_text(value, metric);
  return text.front() == '-' ? text : "+" + text;
}

std::string multiple_text(double multiple) { return shortest(multiple) + "x"; }

std::string span_text(const Span& span) {
  if (!span) return "-";
  return *span > 0 ? multiple_text(*span) : "none";
}

std::string chance_text(double chance) {
  if (chance == 0) return "0%";
  return chance < 0.001 ? "below 0.1%" : fixed(100 * chance, 1) + "%";
}

std::string seeds_text(const SeedCounts& seeds) {
  const std::string all = std::to_string(seeds.all()) + (seeds.all() == 1 ? " seed" : " seeds");
  if (seeds.done == seeds.all()) return all;
  std::vector<std::string> rest;
  for (const auto& [count, name] :
       {std::pair{seeds.diverged, "diverged"}, std::pair{seeds.failed, "failed"},
        std::pair{seeds.skipped, "skipped"}})
    if (count > 0) rest.push_back(std::to_string(count) + " " + name);
  return std::to_string(seeds.done) + " of " + all + " (" + join(rest) + ")";
}

std::string outcome_text(const SeedCounts& seeds) {
  if (seeds.diverged >= seeds.failed && seeds.diverged >= seeds.skipped) return "diverged";
  return seeds.failed >= seeds.skipped ? "failed" : "skipped";
}

std::string selected_text(const TableRow& row) {
  std::vector<std::string> texts;
  for (const auto& item : row.selected.items())
    texts.push_back(axis_title(item.key()) + " " +
                    (item.value().is_number()   ? shortest(item.value().get<double>())
                     : item.value().is_string() ? item.value().get<std::string>()
                                                : to_line(item.value())));
  return join(texts);
}

std::string block_title(const TableRow& row) {
  return row.task + ", trained at length " + std::to_string(row.train_length);
}

std::string metric_title(const Metric& metric) {
  std::string title(metric.title);
  title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title + (metric.is_share ? " in percent" : "");
}

std::vector<Block> blocks(const Comparison& comparison) {
  std::vector<Block> blocks;
  std::vector<std::set<double>> multiples;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> index;
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const TableRow& row = comparison.rows[i];
    const auto [at, is_new] = index.try_emplace({row.task, row.train_length}, blocks.size());
    if (is_new) {
      blocks.emplace_back();
      multiples.emplace_back();
    }
    blocks[at->second].rows.push_back(&row);
    blocks[at->second].comparisons.push_back(&comparison.comparisons[i]);
    for (const Accuracy& accuracy : row.accuracy) multiples[at->second].insert(accuracy.multiple);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i].multiples.assign(multiples[i].begin(), multiples[i].end());
  return blocks;
}

const Accuracy* find_accuracy(const TableRow& row, double multiple) {
  for (const Accuracy& accuracy : row.accuracy)
    if (accuracy.multiple == multiple) return &accuracy;
  return nullptr;
}

const MultipleDifference* find_difference(const RowComparison& comparison, double multiple) {
  for (const MultipleDifference& difference : comparison.differences)
    if (difference.multiple == multiple) return &difference;
  return nullptr;
}

std::optional<BestShortcut> find_shortcut(const Block& block, double multiple) {
  std::optional<BestShortcut> best;
  std::int64_t samples = 0;
  for (const TableRow* row : block.rows) {
    const Accuracy* accuracy = find_accuracy(*row, multiple);
    // Rows meet the same samples; the one with the most of them knows best.
    if (accuracy == nullptr || !accuracy->shortcut || accuracy->counts.samples <= samples) continue;
    best = accuracy->shortcut;
    samples = accuracy->counts.samples;
  }
  return best;
}

bool has_shortcut(const Block& block) {
  return std::any_of(block.multiples.begin(), block.multiples.end(),
                     [&](double multiple) { return find_shortcut(block, multiple).has_value(); });
}

std::vector<QuantityLine> quantity_lines(const Block& block) {
  std::vector<QuantityLine> lines;
  for (std::size_t i = 0; i < block.multiples.size(); ++i)
    for (const TableRow* row : block.rows) {
      const Accuracy* accuracy = find_accuracy(*row, block.multiples[i]);
      if (accuracy == nullptr || accuracy->quantities.empty()) continue;
      // A quantity is the task's own: every row of the block has the same.
      for (const Quantity& quantity : accuracy->quantities) {
        std::string name = quantity.name;
        std::replace(name.begin(), name.end(), '_', ' ');
        auto line = std::find_if(lines.begin(), lines.end(),
                                 [&](const QuantityLine& other) { return other.name == name; });
        if (line == lines.end())
          line = lines.insert(line, {name, std::vector<std::string>(block.multiples.size(), "-")});
        line->figures[i] = std::to_string(quantity.value);
      }
      break;
    }
  return lines;
}

std::vector<std::string> verdict_lines(const Block& block) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const RowComparison& comparison = *block.comparisons[i];
    const Metric& metric = *block.rows[i]->metric;
    if (comparison.baseline.empty() && comparison.reason.empty()) continue;
    std::string line = variant_name(*block.rows[i]);
    if (!comparison.baseline.empty()) line += " against " + comparison.baseline;
    line += ": ";
    const PairedTest& test = comparison.test;
    if (test.seeds == 0) {
      lines.push_back(line + "not compared, " + comparison.reason);
      continue;
    }
    line += comparison.verdict == Verdict::none ? "no verdict, since " + comparison.reason
                                                : std::string(to_string(comparison.verdict));
    line += "; mean difference " + difference_text(test.difference, metric) + " [" +
            difference_text(test.ci95.low, metric) + ", " +
            difference_text(test.ci95.high, metric) + "], " + std::to_string(test.seeds) +
            (test.seeds == 1 ? " seed" : " seeds");
    if (comparison.verdict != Verdict::none)
      line += ", " + probability_text(comparison.adjusted_p) + " after correction";
    if (comparison.verdict == Verdict::not_distinguishable && test.difference != 0)
      line += "; for a difference of this size the power is " + fixed(comparison.power, 2) + ", " +
              (comparison.seeds_needed
                   ? "and " + std::to_string(*comparison.seeds_needed) + " seeds would have 0.8"
                   : std::string("and 1,000 seeds would not have 0.8"));
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> note_lines(const Block& block) {
  std::vector<std::string> lines;
  for (const TableRow* row : block.rows)
    if (!row->notes.empty()) lines.push_back(variant_name(*row) + ": " + join(row->notes, "; "));
  return lines;
}

std::string_view figures_note() {
  return "Means over seeds with their 95% intervals over seeds, and the lowest and the highest "
         "seed. "
         "Span: the largest tested multiple of the training length up to which exact match is at "
         "least 90% at every tested multiple (bits per byte: at most 1% above the first multiple); "
         "in parentheses the span that is sure and the one that is possible, by the ends of the "
         "intervals. Seeds that diverged or failed are lost; with them, at the worst value, stands "
         "beside what is left.";
}

std::string_view one_seed_note() {
  return "Intervals of one seed cover the draw of test samples alone: they say nothing about "
         "training luck.";
}

bool has_one_seed(const Comparison& comparison) {
  return std::any_of(comparison.rows.begin(), comparison.rows.end(),
                     [](const TableRow& row) { return row.seeds.done == 1; });
}

}  // namespace attnspan
