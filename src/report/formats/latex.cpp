// LaTeX tables with booktabs, verdicts and notes as comments.
#include "report/format.hpp"
#include "report/grid.hpp"

namespace attnspan::formats {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\textbackslash{}";
    else if (c == '~' || c == '^')
      out += std::string("\\") + c + "{}";
    else if (std::string_view("&%$#_{}").find(c) != std::string_view::npos)
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string table(const std::string& caption, const Grid& grid) {
  std::string text = "\\begin{table}\n\\caption{" + escaped(caption) + "}\n\\begin{tabular}{l" +
                     std::string(grid.front().size() - 1, 'r') + "}\n\\toprule\n";
  for (std::size_t line = 0; line < grid.size(); ++line) {
    for (std::size_t column = 0; column < grid[line].size(); ++column)
      text += (column > 0 ? " & " : "") + escaped(grid[line][column]);
    text += " \\\\\n";
    if (line == 0) text += "\\midrule\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string comments(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "% " + line + ".\n";
  return text;
}

std::string render(const Comparison& comparison) {
  std::string text = "% needs \\usepackage{booktabs}\n% " + std::string(figures_note()) + "\n";
  if (has_one_seed(comparison)) text += "% " + std::string(one_seed_note()) + "\n";
  text += "% Tuned: " + std::string(selection_rule()) + "\n";
  for (const Block& block : blocks(comparison)) {
    const std::string title = block_title(*block.rows.front()) + ". ";
    text += table(title + figure_caption(block), figure_grid(block)) + comments(note_lines(block));
    if (const Grid grid = difference_grid(block); grid.size() > 1)
      text += table(title + difference_caption(comparison.baseline, block), grid);
    text += comments(verdict_lines(block));
  }
  return text;
}

}  // namespace

FormatEntry latex() { return {"latex", "LaTeX tables, with booktabs", render}; }

}  // namespace attnspan::formats
