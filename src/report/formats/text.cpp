// For a terminal of 80 columns: under each mean its interval, under that the lowest and the highest
// seed. In colour: the best figures bold, intervals faint, verdicts by what they say.
#include <algorithm>
#include <array>

#include "report/format.hpp"
#include "report/layout.hpp"

namespace attnspan::formats {
namespace {

constexpr std::size_t width = terminal_width;

/// What a terminal makes of a text (ECMA-48, select graphic rendition).
enum class Style { plain, bold, faint, good, bad, warning };

std::string styled(const std::string& text, Style style, bool colour) {
  static constexpr std::array codes{"", "1", "2", "32", "31", "33"};
  if (!colour || style == Style::plain || text.empty()) return text;
  return std::string("\x1b[") + codes[static_cast<std::size_t>(style)] + "m" + text + "\x1b[0m";
}

/// A line of the table: what it is about, and a figure for each multiple.
struct Line {
  std::string head;
  std::vector<std::string> figures;
  Style style = Style::plain;
  std::vector<bool> is_best{};  ///< as many as figures, or none
};

std::string range_text(double low, double high, const Metric& metric) {
  return short_value_text(low, metric) + "-" + short_value_text(high, metric);
}

/// The lines of one row, by what stands at each of its multiples.
std::vector<Line> row_lines(const Block& block, std::size_t place) {
  const TableRow& row = *block.rows[place];
  const RowComparison& comparison = *block.comparisons[place];
  const Metric& metric = *row.metric;
  std::string span = "  span " + span_text(row.span.point);
  if (row.span.point)
    span += " (" + span_text(row.span.sure) + " to " + span_text(row.span.possible) + ")";
  std::vector<Line> lines{{variant_name(row), {}},
                          {span, {}, Style::faint},
                          {"  " + seeds_text(row.seeds), {}, Style::faint}};
  if (row.seeds.lost() > 0 && row.seeds.done > 0)
    lines.push_back({"  with the lost, span " + span_text(row.span.with_lost), {}});
  const std::size_t difference = lines.size();
  if (!comparison.differences.empty()) {
    lines.push_back({"  minus " + comparison.baseline, {}});
    lines.push_back({"", {}, Style::faint});
  }
  for (const double multiple : block.multiples) {
    lines.front().is_best.push_back(is_best(block, row, multiple));
    std::vector<std::string> figures(lines.size());
    const Accuracy* accuracy = find_accuracy(row, multiple);
    if (accuracy == nullptr) {
      figures[0] = row.seeds.done == 0 ? outcome_text(row.seeds) : "-";
    } else {
      figures[0] =
          accuracy->counts.samples == 0 ? "given up" : value_text(accuracy->value.mean, metric);
      if (accuracy->counts.samples > 0)
        figures[1] = range_text(accuracy->ci95.low, accuracy->ci95.high, metric);
      if (accuracy->seeds.size() > 1)
        figures[2] = range_text(accuracy->value.min, accuracy->value.max, metric);
      if (difference > 3) figures[3] = value_text(accuracy->with_lost, metric);
    }
    if (const MultipleDifference* found = find_difference(comparison, multiple)) {
      figures[difference] = difference_text(found->value, metric);
      figures[difference + 1] = short_value_text(found->ci95.low, metric) + ".." +
                                short_value_text(found->ci95.high, metric);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) lines[i].figures.push_back(figures[i]);
  }
  return lines;
}

std::string pad(std::size_t columns) { return std::string(columns, ' '); }

/// Lines in aligned columns; where they are too wide, the multiples that fit first and then the
/// rest. A head that is wider than its column has a line of its own.
std::string aligned(const std::vector<Line>& lines, bool colour) {
  constexpr std::size_t head_width = 24;
  const std::size_t columns = lines.front().figures.size();
  std::string text;
  std::size_t first = 0;
  do {
    std::vector<std::size_t> widths;
    std::size_t total = 2 + head_width;
    for (std::size_t column = first; column < columns; ++column) {
      std::size_t widest = 0;
      for (const Line& line : lines) widest = std::max(widest, line.figures[column].size());
      if (column > first && total + 1 + widest > width) break;
      widths.push_back(widest);
      total += 1 + widest;
    }
    for (const Line& line : lines) {
      text += "  " + styled(line.head, line.style, colour);
      const bool has_none = std::all_of(line.figures.begin(), line.figures.end(),
                                        [](const std::string& figure) { return figure.empty(); });
      if (widths.empty() || has_none) {
        text += '\n';
        continue;
      }
      if (line.head.size() > head_width)
        text += '\n' + pad(2 + head_width);
      else
        text += pad(head_width - line.head.size());
      for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::string& figure = line.figures[first + i];
        const bool best = !line.is_best.empty() && line.is_best[first + i];
        text += ' ' + pad(widths[i] - figure.size()) +
                styled(figure, best ? Style::bold : line.style, colour);
      }
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
    first += widths.size();
  } while (first < columns);
  return text;
}

/// What was selected: once where it is the same for all.
std::string selected_lines(const Block& block) {
  const std::string first = selected_text(*block.rows.front());
  if (std::all_of(block.rows.begin(), block.rows.end(),
                  [&](const TableRow* row) { return selected_text(*row) == first; }))
    return first.empty() ? "" : wrapped("all: " + first, 2);
  std::string text;
  for (const TableRow* row : block.rows)
    text += wrapped(variant_name(*row) + ": " + selected_text(*row), 2);
  return text;
}

Style style_of(Verdict verdict) {
  return verdict == Verdict::better  ? Style::good
         : verdict == Verdict::worse ? Style::bad
                                     : Style::plain;
}

std::string block_text(const Block& block, bool colour) {
  const TableRow& first = *block.rows.front();
  std::string text = styled(block_title(first), Style::bold, colour) + "\n" +
                     metric_title(*first.metric) + "; chance " + chance_text(first) + "\n";
  Line head{"", {}};
  for (const double multiple : block.multiples) head.figures.push_back(multiple_text(multiple));
  std::vector<Line> lines{head};
  for (std::size_t i = 0; i < block.rows.size(); ++i)
    for (Line& line : row_lines(block, i)) lines.push_back(std::move(line));
  for (const ShortcutLine& shortcut : shortcut_lines(block)) {
    lines.push_back({shortcut.title, {}});
    for (const ShortcutFigure& figure : shortcut.figures)
      lines.back().figures.push_back(figure.text);
  }
  for (WholeWindowLine& whole : whole_window_lines(block))
    lines.push_back({whole.title, std::move(whole.figures)});
  for (QuantityLine& quantity : quantity_lines(block))
    lines.push_back({quantity.name + " in a sample", std::move(quantity.figures)});
  text += aligned(lines, colour);
  text += selected_lines(block);
  for (const std::string& line : note_lines(block))
    text += styled(wrapped(line, 2), Style::warning, colour);
  for (std::size_t i = 0; i < block.rows.size(); ++i)
    if (const std::string line = verdict_line(*block.rows[i], *block.comparisons[i]); !line.empty())
      text += styled(wrapped(line, 2), style_of(block.comparisons[i]->verdict), colour);
  return text + "\n";
}

/// "83% (12%)": the share of wrong answers that are of the kind, and that of random ones.
std::string error_figure(const ErrorCounts& errors, const ErrorKind& kind) {
  const auto percent = [](double share) { return short_value_text(share, exact_match()) + "%"; };
  if (errors.wrong == 0) return "-";
  return percent(errors.share_of(kind)) +
         (errors.places == 0 ? "" : " (" + percent(errors.random_share(kind)) + ")");
}

/// What the wrong answers of a row are, one line a kind that there is.
std::vector<Line> error_lines(const Block& block, const TableRow& row) {
  std::vector<std::string> kinds;
  for (const Accuracy& accuracy : row.accuracy)
    if (accuracy.errors)
      for (const ErrorKind& kind : accuracy.errors->kinds)
        if (kind.wrong > 0 && std::find(kinds.begin(), kinds.end(), kind.name) == kinds.end())
          kinds.push_back(kind.name);
  std::vector<Line> lines{{variant_name(row), {}, Style::bold}, {"  wrong tokens", {}}};
  for (const std::string& kind : kinds) lines.push_back({"  " + kind, {}});
  for (const double multiple : block.multiples) {
    const Accuracy* const accuracy = find_accuracy(row, multiple);
    const ErrorCounts* const errors =
        accuracy != nullptr && accuracy->errors ? &*accuracy->errors : nullptr;
    lines[0].figures.emplace_back();
    lines[1].figures.push_back(errors == nullptr ? "-"
                                                 : std::to_string(errors->wrong) + " of " +
                                                       std::to_string(errors->answers));
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      std::string figure = "-";
      if (errors != nullptr)
        for (const ErrorKind& kind : errors->kinds)
          if (kind.name == kinds[i]) figure = error_figure(*errors, kind);
      lines[i + 2].figures.push_back(std::move(figure));
    }
  }
  return lines;
}

/// Empty where no row of the block has its wrong answers told apart.
std::string errors_text(const Block& block, bool colour) {
  Line head{"", {}};
  for (const double multiple : block.multiples) head.figures.push_back(multiple_text(multiple));
  std::vector<Line> lines{head};
  std::string guess;
  for (const TableRow* row : block.rows)
    for (const Accuracy& accuracy : row->accuracy)
      if (accuracy.errors) guess = accuracy.errors->guess;
  if (guess.empty()) return "";
  for (const TableRow* row : block.rows)
    for (Line& line : error_lines(block, *row)) lines.push_back(std::move(line));
  return styled("Wrong answers: " + block_title(*block.rows.front()), Style::bold, colour) + "\n" +
         aligned(lines, colour) +
         wrapped(
             "Share of the wrong answer tokens, of all seeds together, that are of a kind, and in "
             "parentheses of wrong ones drawn at random from " +
                 guess + ". A token may be of several kinds.",
             2) +
         "\n";
}

std::string write(const Comparison& comparison, bool colour) {
  std::string text;
  for (const Block& block : blocks(comparison)) text += block_text(block, colour);
  if (comparison.shows_errors)
    for (const Block& block : blocks(comparison)) text += errors_text(block, colour);
  text += wrapped(std::string(figures_note()), 0);
  if (has_one_seed(comparison)) text += wrapped(std::string(one_seed_note()), 0);
  return text;
}

std::string render(const Comparison& comparison) { return write(comparison, false); }
std::string render_in_colour(const Comparison& comparison) { return write(comparison, true); }

}  // namespace

FormatEntry text() {
  return {"text", "txt", "for a terminal of 80 columns", render, render_in_colour};
}

}  // namespace attnspan::formats
