#include "report/notes.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "core/names.hpp"

namespace attnspan {
namespace {

using Notes = std::vector<std::string>;

std::string times(double multiple) { return shortest(multiple) + "x"; }

/// The setting, where it is a number.
std::optional<double> number(const Json& settings, const char* key) {
  const auto found = settings.find(key);
  if (found == settings.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

void note_learning(Notes& notes, const TableRow& row) {
  // The bound of a likelihood is drawn from the row itself; beside the best shortcut it is judged
  // elsewhere.
  if (row.accuracy.empty() || row.metric->is_likelihood) return;
  const Accuracy& first = row.accuracy.front();
  if (first.length > row.train_length) return;  // tests of a saved model may begin anywhere
  const double bound = row.metric->span_bound(first.value.mean);
  const auto learned = [&](double value) { return !row.metric->better(bound, value + 1e-12); };
  const auto failed = std::count_if(first.seeds.begin(), first.seeds.end(),
                                    [&](const auto& seed) { return !learned(seed.value); });
  if (!learned(first.value.mean))
    notes.push_back("did not learn at " + times(first.multiple));
  else if (failed > 0)
    notes.push_back(std::to_string(failed) + " of " + std::to_string(first.seeds.size()) +
                    " seeds did not learn at " + times(first.multiple));
}

/// With numbers that were tried, the best is worth less when it is the last of them.
void note_edges(Notes& notes, const TableRow& row) {
  for (const auto& [key, values] : row.candidates.items()) {
    if (values.size() < 2 || !values.front().is_number()) continue;
    const Json& selected = row.selected[key];
    if (selected != values.front() && selected != values.back()) continue;
    notes.push_back("the best of " + axis_title(key) + ", " + shortest(selected.get<double>()) +
                    ", is the " + (selected == values.front() ? "smallest" : "largest") + " tried");
  }
}

void note_training(Notes& notes, const TableRow& row, std::span<const CellRow> cells) {
  const auto steps = number(row.settings, "steps"), warmup = number(row.settings, "warmup_steps");
  int stopped = 0, all_warmup = 0;
  for (const std::size_t index : row.cells) {
    if (cells[index].status != Status::done) continue;
    const auto done = static_cast<double>(cells[index].train.steps);
    stopped += steps && done < *steps ? 1 : 0;
    all_warmup += warmup && *warmup > 0 && done <= *warmup ? 1 : 0;
  }
  if (stopped > 0)
    notes.push_back(std::to_string(stopped) + " of " + std::to_string(row.seeds.done) +
                    " seeds stopped early");
  if (all_warmup > 0)
    notes.push_back("warm-up of " + shortest(*warmup) + " steps is as long as training");
}

std::string list_multiples(const std::vector<double>& multiples) {
  std::vector<std::string> texts;
  for (const double multiple : multiples) texts.push_back(times(multiple));
  return join(texts);
}

/// Which shortcuts a task that is judged by likelihood does not surely beat, and where.
void note_likelihood_shortcuts(Notes& notes, const TableRow& row) {
  std::map<std::string, std::vector<double>> unbeaten;
  for (const Accuracy& accuracy : row.accuracy)
    for (const ShortcutScore& shortcut : accuracy.shortcuts)
      if (!row.metric->better(row.metric->higher_is_better ? accuracy.ci95.low : accuracy.ci95.high,
                              shortcut.value))
        unbeaten[shortcut.name].push_back(accuracy.multiple);
  for (const auto& [name, multiples] : unbeaten)
    notes.push_back("no better than " + name + " at " + list_multiples(multiples));
}

void note_shortcut(Notes& notes, const TableRow& row) {
  if (row.headline->is_likelihood) {
    if (row.metric == row.headline) note_likelihood_shortcuts(notes, row);
    return;
  }
  std::vector<double> multiples;
  for (const Accuracy& accuracy : row.accuracy)
    if (accuracy.shortcut && accuracy.shortcut->value > 0 && accuracy.counts.exact > 0 &&
        wilson(accuracy.counts.exact, accuracy.counts.samples).low <= accuracy.shortcut->value)
      multiples.push_back(accuracy.multiple);
  if (!multiples.empty())
    notes.push_back("no better than the best shortcut at " + list_multiples(multiples));
}

void note_given_up(Notes& notes, const TableRow& row) {
  std::vector<double> multiples;
  for (const Accuracy& accuracy : row.accuracy)
    if (accuracy.given_up > 0) multiples.push_back(accuracy.multiple);
  if (!multiples.empty())
    notes.push_back("given up at " + list_multiples(multiples) +
                    ", after two multiples without a right sample; counts as " +
                    shortest(row.metric->lost));
}

}  // namespace

std::vector<std::string> notes(const TableRow& row, std::span<const CellRow> cells) {
  Notes notes;
  note_learning(notes, row);
  note_edges(notes, row);
  note_training(notes, row, cells);
  note_shortcut(notes, row);
  note_given_up(notes, row);
  return notes;
}

}  // namespace attnspan
