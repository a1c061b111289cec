// Markdown: a table for each task and training length, then one of differences, then verdicts.
#include "report/format.hpp"
#include "report/grid.hpp"
#include "report/selection.hpp"

namespace attnspan::formats {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string table(const Grid& grid) {
  std::string text;
  for (std::size_t line = 0; line < grid.size(); ++line) {
    text += '|';
    for (const std::string& cell : grid[line]) text += ' ' + escaped(cell) + " |";
    text += '\n';
    if (line > 0) continue;
    text += "|---|";
    for (std::size_t column = 1; column < grid[line].size(); ++column) text += "---:|";
    text += '\n';
  }
  return text + "\n";
}

std::string list(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "- " + line + ".\n";
  return lines.empty() ? text : text + "\n";
}

std::string render(const Comparison& comparison) {
  std::string text;
  for (const Block& block : blocks(comparison)) {
    text += "### " + block_title(*block.rows.front()) + "\n\n" + figure_caption(block) + "\n\n" +
            table(figure_grid(block)) + list(note_lines(block));
    if (const Grid grid = difference_grid(block); grid.size() > 1)
      text += difference_caption(comparison.baseline, block) + "\n\n" + table(grid);
    text += list(verdict_lines(block));
  }
  text += std::string(figures_note());
  if (has_one_seed(comparison)) text += " " + std::string(one_seed_note());
  return text + "\n\nTuned: " + std::string(selection_rule()) + "\n";
}

}  // namespace

FormatEntry md() { return {"md", "md", "Markdown", render}; }

}  // namespace attnspan::formats
