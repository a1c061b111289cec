#include "report/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
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

/// "1 task", "3 tasks".
std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// "a, b and c".
std::string listed(std::vector<std::string> names) {
  const std::string last = names.back();
  names.pop_back();
  return names.empty() ? last : join(names) + " and " + last;
}

std::string probability_text(double p) { return p < 0.001 ? "p < 0.001" : "p = " + fixed(p, 3); }

}  // namespace

std::string wrapped(const std::string& sentence, std::size_t indentation) {
  std::string text(indentation, ' ');
  std::size_t column = indentation;
  std::size_t start = 0;
  while (start < sentence.size()) {
    const std::size_t end = std::min(sentence.find(' ', start), sentence.size());
    if (column > indentation + 2 && column + 1 + (end - start) > terminal_width) {
      text += '\n' + std::string(indentation + 2, ' ');
      column = indentation + 2;
    } else if (start > 0) {
      text += ' ';
      ++column;
    }
    text += sentence.substr(start, end - start);
    column += end - start;
    start = end + 1;
  }
  return text + '\n';
}

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

std::string chance_text(const TableRow& row) {
  const double chance = chance_of(row);
  return row.metric->is_share ? chance_text(chance) : shortest(chance);
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

bool is_best(const Block& block, const TableRow& row, double multiple) {
  const auto shown = [&](const TableRow& one) -> std::optional<double> {
    const Accuracy* accuracy = find_accuracy(one, multiple);
    if (accuracy == nullptr || accuracy->counts.samples == 0) return std::nullopt;
    return accuracy->value.mean;
  };
  const std::optional<double> own = shown(row);
  return own && std::none_of(block.rows.begin(), block.rows.end(), [&](const TableRow* other) {
           const std::optional<double> theirs = shown(*other);
           return theirs && row.metric->better(*theirs, *own) &&
                  value_text(*theirs, *row.metric) != value_text(*own, *row.metric);
         });
}

namespace {

/// Rows meet the same samples; the one with the most of them knows best. None without shortcuts.
const Accuracy* best_known_shortcuts(const Block& block, double multiple) {
  const Accuracy* best = nullptr;
  for (const TableRow* row : block.rows) {
    const Accuracy* const accuracy = find_accuracy(*row, multiple);
    if (accuracy == nullptr || !accuracy->shortcut || accuracy->counts.samples == 0) continue;
    if (best == nullptr || accuracy->counts.samples > best->counts.samples) best = accuracy;
  }
  return best;
}

}  // namespace

double chance_of(const TableRow& row) {
  // Of a likelihood, a lost seed counts as one that guesses.
  return row.metric->is_likelihood  ? row.metric->lost
         : row.metric->is_of_tokens ? row.token_chance
                                    : row.chance;
}

std::optional<ShortcutScore> find_shortcut(const Block& block, double multiple) {
  const Accuracy* const knows_best = best_known_shortcuts(block, multiple);
  return knows_best == nullptr ? std::nullopt : knows_best->shortcut;
}

std::vector<ShortcutLine> shortcut_lines(const Block& block) {
  const Metric& headline = *block.rows.front()->headline;
  std::vector<ShortcutLine> lines;
  for (std::size_t i = 0; i < block.multiples.size(); ++i) {
    const Accuracy* const accuracy = best_known_shortcuts(block, block.multiples[i]);
    if (accuracy == nullptr) continue;
    const std::vector<ShortcutScore> scores =
        headline.is_likelihood ? accuracy->shortcuts : std::vector{*accuracy->shortcut};
    for (const ShortcutScore& score : scores) {
      const std::string title = headline.is_likelihood ? "shortcut: " + score.name
                                : block.rows.front()->metric == &headline
                                    ? "best shortcut"
                                    : "best shortcut, exact match";
      auto line = std::find_if(lines.begin(), lines.end(),
                               [&](const ShortcutLine& other) { return other.title == title; });
      if (line == lines.end())
        line = lines.insert(line, {title, headline.is_likelihood,
                                   std::vector<ShortcutFigure>(block.multiples.size())});
      line->figures[i] = {value_text(score.value, headline), score.name};
    }
  }
  return lines;
}

std::vector<WholeWindowLine> whole_window_lines(const Block& block) {
  std::vector<WholeWindowLine> lines;
  for (const TableRow* row : block.rows) {
    WholeWindowLine line{variant_name(*row) + ", whole window", {}};
    bool has_any = false;
    for (const double multiple : block.multiples) {
      const Accuracy* const accuracy = find_accuracy(*row, multiple);
      const bool is_kept = accuracy != nullptr && !accuracy->counts.positions.empty();
      line.figures.push_back(is_kept ? value_text(whole_window(accuracy->counts), bits_per_byte())
                                     : "-");
      has_any = has_any || is_kept;
    }
    if (has_any) lines.push_back(std::move(line));
  }
  return lines;
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

std::string question_text(const Comparison& comparison) {
  std::set<std::string> variants, tasks;
  std::set<std::int64_t> lengths;
  std::set<int> seeds;
  double furthest = 0;
  for (const TableRow& row : comparison.rows) {
    variants.insert(row.attention + "/" + row.position);
    tasks.insert(row.task);
    lengths.insert(row.train_length);
    seeds.insert(row.seeds.all());
    if (!row.accuracy.empty()) furthest = std::max(furthest, row.accuracy.back().multiple);
  }
  if (comparison.rows.empty()) return "The results hold no cell.";
  const auto range = [](const auto& numbers) {
    const std::string first = std::to_string(*numbers.begin());
    return numbers.size() == 1 ? first : first + " to " + std::to_string(*numbers.rbegin());
  };
  return "Which attention holds on longer inputs than it was trained on? " +
         counted(variants.size(), "variant") + " on " + counted(tasks.size(), "task") +
         ", trained at length " + range(lengths) +
         (furthest > 0 ? ", tested up to " + multiple_text(furthest) : ", not tested") + ", " +
         range(seeds) + (*seeds.rbegin() == 1 ? " seed." : " seeds.");
}

std::string headline(const Block& block) {
  std::map<double, std::vector<std::string>, std::greater<>> sure;
  std::vector<std::string> untested, by_mean;
  for (const TableRow* row : block.rows) {
    if (!row->span.sure) {
      untested.push_back(variant_name(*row));
      continue;
    }
    std::string name = variant_name(*row);
    if (row->span.point != row->span.sure && *row->span.sure > 0)
      name += " (" + span_text(row->span.point) + " by its mean)";
    if (row->span.point > 0.0 && *row->span.sure == 0)
      by_mean.push_back(name + " to " + span_text(row->span.point));
    sure[*row->span.sure].push_back(name);
  }
  const Metric& metric = *block.rows.front()->metric;
  const std::string what =
      metric.higher_is_better
          ? "At least 90% " + std::string(metric.title)
          : "At most 1% more " + std::string(metric.title) + " than at " +
                multiple_text(block.multiples.empty() ? 1 : block.multiples.front());
  std::vector<std::string> parts;
  for (const auto& [span, names] : sure) {
    std::string part = listed(names);
    if (span > 0)
      part += " to " + multiple_text(span) +
              (span == block.multiples.back() ? ", the longest tested" : "");
    else
      part = (parts.empty() ? "no variant, not even" : "not for " + part) +
             (parts.empty() ? " at " : " even at ") + multiple_text(block.multiples.front());
    parts.push_back(part);
  }
  std::string text;
  if (!parts.empty()) text = what + " is sure for " + join(parts, "; ");
  if (!by_mean.empty()) text += "; by the mean: " + join(by_mean);
  if (!text.empty()) text += '.';
  if (!untested.empty())
    text += (text.empty() ? "" : " ") + listed(untested) +
            (untested.size() == 1 ? " has" : " have") + " no result.";
  return text;
}

std::string verdict_summary(const Block& block) {
  std::map<std::string, std::map<Verdict, std::vector<std::string>>> against;
  for (std::size_t i = 0; i < block.rows.size(); ++i)
    if (!block.comparisons[i]->baseline.empty())
      against[block.comparisons[i]->baseline][block.comparisons[i]->verdict].push_back(
          variant_name(*block.rows[i]));
  std::vector<std::string> sentences;
  for (const auto& [baseline, verdicts] : against) {
    std::vector<std::string> parts;
    for (const auto& [verdict, names] : verdicts)
      parts.push_back(std::string(to_string(verdict)) + ": " + join(names));
    sentences.push_back("Against " + baseline + ", over all tested lengths: " + join(parts, "; ") +
                        ".");
  }
  return join(sentences, " ");
}

std::string verdict_line(const TableRow& row, const RowComparison& comparison) {
  const Metric& metric = *row.metric;
  if (comparison.baseline.empty() && comparison.reason.empty()) return "";
  std::string line = variant_name(row);
  if (!comparison.baseline.empty()) line += " against " + comparison.baseline;
  line += ": ";
  const PairedTest& test = comparison.test;
  if (test.seeds == 0) return line + "not compared, " + comparison.reason;
  line += comparison.verdict == Verdict::none ? "no verdict, since " + comparison.reason
                                              : std::string(to_string(comparison.verdict));
  line += "; mean difference " + difference_text(test.difference, metric) + " [" +
          difference_text(test.ci95.low, metric) + ", " + difference_text(test.ci95.high, metric) +
          "], " + std::to_string(test.seeds) + (test.seeds == 1 ? " seed" : " seeds");
  if (comparison.verdict != Verdict::none)
    line += ", " + probability_text(comparison.adjusted_p) + " after correction";
  if (comparison.verdict == Verdict::not_distinguishable && test.difference != 0)
    line += "; for a difference of this size the power is " + fixed(comparison.power, 2) + ", " +
            (comparison.seeds_needed
                 ? "and " + std::to_string(*comparison.seeds_needed) + " seeds would have 0.8"
                 : std::string("and 1,000 seeds would not have 0.8"));
  return line;
}

std::vector<std::string> verdict_lines(const Block& block) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    std::string line = verdict_line(*block.rows[i], *block.comparisons[i]);
    if (!line.empty()) lines.push_back(std::move(line));
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
