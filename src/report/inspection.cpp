#include "report/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "report/layout.hpp"
#include "report/page.hpp"

namespace attnspan {
namespace {

std::string number(double value, const char* format = "%.3g") {
  if (!std::isfinite(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// What the table has of each head: heading and figure.
struct Column {
  std::string heading;
  std::size_t width;  ///< in a text
  std::string (*figure)(const HeadFigures& head);
};

const std::vector<Column>& columns() {
  static const std::vector<Column> all{
      {"entropy", 7, [](const HeadFigures& head) { return number(head.entropy, "%.3f"); }},
      {"keys used", 14,
       [](const HeadFigures& head) {
         const double percent = 100 * head.support_share;
         return number(head.support, head.support < 1000 ? "%.3g" : "%.0f") + " (" +
                number(percent, percent < 10 ? "%.2g" : "%.3g") + "%)";
       }},
      {"on answer", 9, [](const HeadFigures& head) { return number(head.answer_weight, "%.3f"); }},
      {"scale", 14,
       [](const HeadFigures& head) {
         return head.scale.front() == head.scale.back()
                    ? number(head.scale[2])
                    : number(head.scale[1]) + " " + number(head.scale[2]) + " " +
                          number(head.scale[3]);
       }},
      {"range", 7, [](const HeadFigures& head) { return number(head.score_range); }},
      {"drift", 6, [](const HeadFigures& head) { return number(head.mean_drift, "%.2f"); }},
      {"spread", 6, [](const HeadFigures& head) { return number(head.spread_drift, "%.2f"); }}};
  return all;
}

std::string head_name(const HeadFigures& head) {
  return "layer " + std::to_string(head.layer) + " head " + std::to_string(head.head);
}

std::string title(const Inspection& inspection) {
  return inspection.task + " at length " + std::to_string(inspection.length) + " (" +
         multiple_text(inspection.multiple) + "), sample " + std::to_string(inspection.sample);
}

std::string counts(const Inspection& inspection) {
  return std::to_string(inspection.tokens) + " tokens, " + std::to_string(inspection.right) +
         " of " + std::to_string(inspection.answers) + " answer tokens right, " +
         std::to_string(inspection.figures.rows) + " rows looked at";
}

const std::vector<std::string>& legend() {
  static const std::vector<std::string> lines{
      "Means over the rows of the second half of the sample. entropy: of the weights, over the "
      "logarithm of the number of keys; 1 where all weigh the same.",
      "keys used: those with a weight other than 0, and their share. on answer: weight on the "
      "tokens that hold the answer, in the rows that answer.",
      "scale: what the scaler multiplies by; 5, 50 and 95% of the rows are below. range: highest "
      "less lowest score of a row.",
      "drift: how far the mean of the head's output lies from that at the training length, in "
      "standard deviations there; spread: its standard deviation over that there.",
      "Maps: rows down, keys across, both in bins; how much weight a row of the bin puts on the "
      "keys of the bin."};
  return lines;
}

std::string padded(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

/// Ten signs from nothing to everything, by the root, since most weights are small.
char sign(double weight) {
  static constexpr std::string_view signs = " .:-=+*#%@";
  if (!std::isfinite(weight)) return '?';
  const double level = std::sqrt(std::clamp(weight, 0.0, 1.0));
  return weight > 0 && level < 0.05 ? '.' : signs[static_cast<std::size_t>(std::lround(9 * level))];
}

/// Three maps beside each other, two rows of bins in a line: the heavier of both.
std::string maps_text(const Inspection& inspection) {
  constexpr std::size_t beside = 3;
  const auto bins = static_cast<std::size_t>(inspection.bins);
  std::string text;
  for (std::size_t first = 0; first < inspection.maps.size(); first += beside) {
    const std::size_t last = std::min(first + beside, inspection.maps.size());
    text += '\n';
    for (std::size_t which = first; which < last; ++which) {
      std::string name = head_name(inspection.figures.heads[which]);
      name.resize(std::max<std::size_t>(bins + 2, 16), ' ');
      text += name;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
    for (std::size_t row = 0; row < bins; row += 2) {
      for (std::size_t which = first; which < last; ++which) {
        const std::vector<double>& weight = inspection.maps[which].weight;
        std::string line;
        for (std::size_t key = 0; key < bins; ++key) {
          const double upper = weight[row * bins + key];
          line += sign(row + 1 < bins ? std::max(upper, weight[(row + 1) * bins + key]) : upper);
        }
        line.resize(std::max<std::size_t>(bins + 2, 16), ' ');
        text += line;
      }
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
  }
  return text;
}

/// A map as a picture; what has next to no weight is left out.
std::string map_picture(const Inspection& inspection, std::size_t which) {
  const auto bins = static_cast<std::size_t>(inspection.bins);
  const std::string size = std::to_string(bins);
  std::string text = "<svg viewBox=\"0 0 " + size + " " + size + "\" role=\"img\" aria-label=\"" +
                     "Weights of " + head_name(inspection.figures.heads[which]) + "\">";
  for (std::size_t row = 0; row < bins; ++row)
    for (std::size_t key = 0; key <= row; ++key) {
      const double weight = inspection.maps[which].weight[row * bins + key];
      if (!(weight >= 1e-4)) continue;
      text += "<rect x=\"" + std::to_string(key) + "\" y=\"" + std::to_string(row) +
              "\" width=\"1\" height=\"1\" opacity=\"" +
              number(std::sqrt(std::min(weight, 1.0)), "%.2f") + "\"><title>" +
              number(100 * weight) + "%</title></rect>";
    }
  return text + "</svg>";
}

std::string table(const Inspection& inspection) {
  std::string text =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Figures of every head\">"
      "<table>\n<thead><tr><th scope=\"col\">head</th>";
  for (const Column& column : columns()) text += "<th scope=\"col\">" + column.heading + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  for (const HeadFigures& head : inspection.figures.heads) {
    text += "<tr><th scope=\"row\">" + head_name(head) + "</th>";
    for (const Column& column : columns()) text += "<td>" + column.figure(head) + "</td>";
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string inspection_text(const Inspection& inspection) {
  std::string text =
      inspection.key + '\n' + wrapped(title(inspection) + ": " + counts(inspection), 0);
  std::string line = "head ";
  for (const Column& column : columns()) line += ' ' + padded(column.heading, column.width);
  text += line + '\n';
  for (const HeadFigures& head : inspection.figures.heads) {
    line = std::to_string(head.layer) + "." + std::to_string(head.head);
    line.resize(5, ' ');
    for (const Column& column : columns()) line += ' ' + padded(column.figure(head), column.width);
    text += line + '\n';
  }
  text += maps_text(inspection) + '\n';
  for (const std::string& sentence : legend()) text += wrapped(sentence, 0);
  return text;
}

std::string inspection_page(const Inspection& inspection) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<title>attnspan inspect</title>\n<style>\n" +
      std::string(page_template().style) +
      ".maps { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(11rem, "
      "1fr)); }\n.maps svg { display: block; width: 100%; background: var(--raised); border: 1px "
      "solid var(--line); }\n.maps rect { fill: var(--accent); }\n</style>\n</head>\n<body>\n"
      "<header><h1>What attention does</h1></header>\n<main>\n<p class=\"question\">" +
      escaped_html(title(inspection)) + "</p>\n<p>" + escaped_html(inspection.key) + "</p>\n<p>" +
      escaped_html(counts(inspection)) + ".</p>\n<h2>Heads</h2>\n" + table(inspection);
  for (const std::string& sentence : legend()) text += "<p class=\"note\">" + sentence + "</p>\n";
  text += "<h2>Maps</h2>\n<div class=\"maps\">\n";
  for (std::size_t which = 0; which < inspection.maps.size(); ++which)
    text += "<figure><h3>" + head_name(inspection.figures.heads[which]) + "</h3>" +
            map_picture(inspection, which) + "</figure>\n";
  return text + "</div>\n</main>\n</body>\n</html>\n";
}

}  // namespace attnspan
