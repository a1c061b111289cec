#include "report/format.hpp"

#include <array>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "core/names.hpp"

namespace attnspan {

std::string percent(double share) {
  std::array<char, 64> buffer;
  // No printf: its decimal point depends on the locale. The sum turns -0.0 into 0.0.
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), 100 * share + 0.0,
                                 std::chars_format::fixed, 1);
  return std::string(buffer.data(), end.ptr);
}

std::string multiple_text(double multiple) { return shortest(multiple) + "x"; }

std::string span_text(const Span& span) {
  if (!span) return "-";
  return *span > 0 ? multiple_text(*span) : "none";
}

std::string chance_text(double chance) {
  if (chance == 0) return "0%";
  return chance < 0.001 ? "below 0.1%" : percent(chance) + "%";
}

std::string seeds_text(const SeedCounts& seeds) {
  if (seeds.done == seeds.all()) return std::to_string(seeds.done);
  std::vector<std::string> rest;
  for (const auto& [count, name] :
       {std::pair{seeds.diverged, "diverged"}, std::pair{seeds.failed, "failed"},
        std::pair{seeds.skipped, "skipped"}})
    if (count > 0) rest.push_back(std::to_string(count) + " " + name);
  return std::to_string(seeds.done) + " of " + std::to_string(seeds.all()) + " (" + join(rest) +
         ")";
}

std::string outcome_text(const SeedCounts& seeds) {
  if (seeds.diverged >= seeds.failed && seeds.diverged >= seeds.skipped) return "diverged";
  return seeds.failed >= seeds.skipped ? "failed" : "skipped";
}

std::string block_title(const TableRow& row) {
  return row.task + ", trained at length " + std::to_string(row.train_length);
}

std::vector<Block> blocks(const std::vector<TableRow>& rows) {
  std::vector<Block> blocks;
  std::vector<std::set<double>> multiples;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> index;
  for (const TableRow& row : rows) {
    const auto [at, is_new] = index.try_emplace({row.task, row.train_length}, blocks.size());
    if (is_new) {
      blocks.emplace_back();
      multiples.emplace_back();
    }
    blocks[at->second].rows.push_back(&row);
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

}  // namespace attnspan
