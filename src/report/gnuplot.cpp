#include "report/gnuplot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

// Okabe and Ito 2008, the yellow darker; ordered so that neighbours differ in lightness, too.
constexpr std::array colours{"#000000", "#d55e00", "#0072b2", "#e69f00",
                             "#009e73", "#cc79a7", "#56b4e9", "#8a8300"};
constexpr std::array dashes{"1", "'-'", "'.'", "'-.'", "'_'"};
constexpr std::array marks{7, 5, 9, 13, 11, 6, 4, 8, 12, 10};

constexpr std::array formats{
    PlotFormat{"svg",
               "svg size {size} font '{font},10' noenhanced linewidth 1.2 background '#ffffff'",
               40},
    PlotFormat{"pdf",
               "pdfcairo size {size} font '{font},7' noenhanced linewidth 1.2 fontscale 1 "
               "background '#ffffff'",
               1},
    PlotFormat{"png",
               "pngcairo size {size} font '{font},7' noenhanced linewidth 3 fontscale 4 pointscale "
               "2.5 background '#ffffff'",
               120}};

/// Between single quotes gnuplot takes every character but a quote as it is.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string number(double value) { return std::isfinite(value) ? shortest(value) : "NaN"; }

std::string with(std::string text, std::string_view placeholder, const std::string& value) {
  if (const std::size_t at = text.find(placeholder); at != std::string::npos)
    text.replace(at, placeholder.size(), value);
  return text;
}

std::string colour(const Series& series) {
  return std::string("'") + colours[series.look % colours.size()] + "'";
}

/// Colour and mark.
std::string mark(const Series& series) {
  return "lc rgb " + colour(series) + " lw 1.6 pt " +
         std::to_string(marks[series.look % marks.size()]) + " ps 0.6";
}

/// These and the dash.
std::string look(const Series& series) {
  return mark(series) + " dt " + dashes[series.look % dashes.size()];
}

/// Data and plot command of one panel.
class Drawing {
 public:
  void add(const std::vector<FigurePoint>& points, const std::string& how) {
    const std::string name = "$data" + std::to_string(blocks_++);
    data_ += name + " << END\n";
    for (const FigurePoint& point : points)
      data_ += number(point.x) + " " + number(point.y) + " " + number(point.low) + " " +
               number(point.high) + "\n";
    data_ += "END\n";
    command_ += (command_.empty() ? "plot " : ", \\\n  ") + name + " " + how + " notitle";
  }

  /// Data may not be defined while panels are drawn: they come first.
  const std::string& data() const { return data_; }
  std::string take_command() { return std::exchange(command_, "") + "\n"; }

 private:
  std::size_t blocks_ = 0;
  std::string data_, command_;
};

std::string rule_look(const std::string& name) {
  return std::string("with lines lc rgb '#777777' lw 1.2 dt ") + (name == "chance" ? "'.'"
                                                                  : name.empty()   ? "1"
                                                                                   : "'_-'");
}

void draw(const Panel& panel, Drawing& drawing) {
  if (!panel.y_names.empty()) {
    for (const Series& series : panel.series)
      drawing.add(series.points, "using 1:2:3:4 with xerrorbars " + mark(series));
    return;
  }
  for (const Series& series : panel.series)
    if (series.points.size() > 1)
      drawing.add(series.points,
                  "using 1:3:4 with filledcurves fs transparent solid 0.13 noborder "
                  "lc rgb " +
                      colour(series));
  for (const Series& series : panel.series)
    for (const std::vector<FigurePoint>& seed : series.seeds)
      drawing.add(seed, "using 1:2 with lines lw 0.5 lc rgb " +
                            with(colour(series), "#", "#aa"));  // mostly transparent
  for (const Rule& rule : panel.rules)
    drawing.add(rule.points, "using 1:2 " + rule_look(rule.name));
  for (const Series& series : panel.series)
    drawing.add(series.points, "using 1:2 with linespoints " + look(series));
}

/// Ticks that keep a distance on the logarithmic axis.
std::string chosen_ticks(const std::vector<double>& ticks, const char* unit) {
  std::string text;
  const double range = std::log(ticks.back() / ticks.front());
  double last = -1;
  for (const double tick : ticks) {
    const double place = range > 0 ? std::log(tick / ticks.front()) / range : 0;
    const bool has_room = last < 0 || place - last > 0.11;
    text += (text.empty() ? "" : ", ") + literal(has_room ? shortest(tick) + unit : "") + " " +
            number(tick);
    if (has_room) last = place;
  }
  return "set xtics (" + text + ")\n";
}

/// Breaks a title that is wider than its panel, at commas.
std::vector<std::string> broken(const std::string& title, std::size_t width) {
  std::vector<std::string> lines{""};
  for (const std::string& part : split(title, ',')) {
    if (lines.back().size() + part.size() > width && !lines.back().empty()) lines.emplace_back();
    lines.back() += part + ",";
  }
  lines.back().pop_back();
  return lines;
}

std::string title_of(const Panel& panel, std::size_t width) {
  std::string text;
  for (const std::string& line : broken(panel.title, width))
    text += (text.empty() ? "" : ".\"\\n\".") + literal(line);
  return text;
}

std::string axes(const Panel& panel, std::size_t title_width) {
  std::string text = "set title " + title_of(panel, title_width) +
                     " offset 0,-0.3\nset xlabel offset 0,0.3 " + literal(panel.x_label) +
                     "\nset ylabel offset 1,0 " + literal(panel.y_label) + "\n";
  text += panel.x_is_logarithmic ? "set logscale x\n" : "unset logscale x\n";
  text += panel.x_ticks.empty() ? "set xtics auto\n"
                                : chosen_ticks(panel.x_ticks, panel.x_is_multiple ? "x" : "");
  if (panel.x_ticks.size() > 1)
    text += "set xrange [" + number(panel.x_ticks.front() / 1.1) + ":" +
            number(panel.x_ticks.back() * 1.1) + "]\n";
  else
    text += "set autoscale x\n";
  if (!panel.y_names.empty()) {
    std::string ticks;
    for (std::size_t i = 0; i < panel.y_names.size(); ++i)
      ticks += (i > 0 ? ", " : "") + literal(panel.y_names[i]) + " " +
               std::to_string(-static_cast<int>(i) - 1);
    return text + "set ytics (" + ticks + ")\nset yrange [" +
           std::to_string(-static_cast<int>(panel.y_names.size())) +
           ".6:-0.4]\nset offsets graph 0.1, graph 0.1, 0, 0\n";
  }
  text += "set ytics auto\nset offsets 0, 0, 0, 0\n";
  return text + (panel.y_low < panel.y_high
                     ? "set yrange [" + number(panel.y_low - 0.03 * (panel.y_high - panel.y_low)) +
                           ":" + number(panel.y_high + 0.03 * (panel.y_high - panel.y_low)) + "]\n"
                     : "set autoscale y\n");
}

/// Where the position encoding stands in the name of a variant: behind the first slash, up to a
/// blank.
std::string_view encoding_of(std::string_view name) {
  const std::size_t begin = std::min(name.find('/'), name.size());
  return name.substr(begin, name.find(' ', begin) - begin);
}

/// Moves an encoding that all series have from their names to the titles, where names are longer
/// than a line of the key: it would cut them.
void shorten_names(std::vector<Panel>& panels, std::size_t line) {
  std::vector<std::string*> names;
  for (Panel& panel : panels)
    for (Series& series : panel.series) names.push_back(&series.name);
  if (std::ranges::all_of(names, [&](const auto* name) { return name->size() <= line; })) return;
  const std::string encoding(encoding_of(*names.front()));
  if (encoding.empty() ||
      !std::ranges::all_of(names, [&](const auto* name) { return encoding_of(*name) == encoding; }))
    return;
  for (std::string* name : names) name->erase(name->find('/'), encoding.size());
  for (Panel& panel : panels) panel.title += ", " + encoding.substr(1);
}

}  // namespace

const PlotFormat& find_plot_format(std::string_view path) {
  std::vector<std::string> allowed;
  for (const PlotFormat& format : formats) {
    allowed.emplace_back(format.extension);
    if (path.ends_with("." + allowed.back())) return format;
  }
  const std::size_t dot = path.rfind('.');
  unknown_name("extension of a figure", dot == std::string_view::npos ? path : path.substr(dot + 1),
               allowed);
}

std::string gnuplot_script(std::vector<Panel> panels, const PlotFormat& format, double width,
                           const std::string& font) {
  const std::size_t columns = std::min<std::size_t>(panels.size(), 3);
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  const double total_width = width * static_cast<double>(columns);
  constexpr double mark_width = 1.6, letter_width = 0.17;  // of the key, in cm
  const bool is_dots = !panels.front().y_names.empty();
  if (!is_dots)
    shorten_names(panels, static_cast<std::size_t>((total_width - mark_width) / letter_width));

  // What the key names, once each.
  std::vector<std::pair<std::string, std::string>> keys;
  const auto key = [&](const std::string& name, const std::string& how) {
    const bool is_new =
        std::none_of(keys.begin(), keys.end(), [&](const auto& one) { return one.first == name; });
    if (is_new && !name.empty()) keys.emplace_back(name, how);
  };
  std::size_t longest = 1;
  if (!is_dots) {
    for (const Panel& panel : panels)
      for (const Series& series : panel.series)
        key(series.name, "with linespoints " + look(series));
    for (const Panel& panel : panels)
      for (const Rule& rule : panel.rules) key(rule.name, rule_look(rule.name));
  }
  for (const auto& [name, how] : keys) longest = std::max(longest, name.size());

  const auto letters = static_cast<std::size_t>(width * 6.2);  // of a title, in a line
  std::size_t lines = 2;
  for (const Panel& panel : panels) lines = std::max(lines, broken(panel.title, letters).size());
  const double above = 0.31 + 0.42 * static_cast<double>(lines);
  const double height = 0.72 * width + above - 1.15;
  const std::size_t keys_a_line = std::max<std::size_t>(
      1, static_cast<std::size_t>(total_width /
                                  (mark_width + letter_width * static_cast<double>(longest))));
  const std::size_t key_lines = (keys.size() + keys_a_line - 1) / keys_a_line;
  const double key_height = keys.empty() ? 0 : 0.25 + 0.42 * static_cast<double>(key_lines);
  const double total_height = height * static_cast<double>(rows) + key_height;

  const bool is_pdf = format.extension == "pdf";
  const auto size = [&](double cm) {
    return is_pdf ? number(std::round(cm * 100) / 100) + "cm"
                  : std::to_string(std::lround(cm * format.units_per_cm));
  };
  std::string terminal =
      with(std::string(format.terminal), "{size}", size(total_width) + "," + size(total_height));
  const std::size_t at = terminal.find("'{font}");
  std::string text = "set terminal ";
  text += terminal.substr(0, at + 1);
  const std::string family = literal(font);
  text += family.substr(1, family.size() - 2) + terminal.substr(at + 7) + "\n";

  Drawing drawing;
  std::string plots;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const double left = static_cast<double>(i % columns) * width;
    const double top = total_height - static_cast<double>(i / columns) * height;
    // Names of rows of dots need room.
    const double margin = is_dots ? 0.52 * width : 1.5;
    const auto place = [&](const char* side, double cm, double whole) {
      plots += std::string("set ") + side + " at screen " +
               number(std::round(cm / whole * 1e5) / 1e5) + "\n";
    };
    place("lmargin", left + margin, total_width);
    place("rmargin", left + width - 0.45, total_width);
    place("tmargin", top - above, total_height);
    place("bmargin", top - height + 1.15, total_height);
    plots += axes(panels[i], letters);
    draw(panels[i], drawing);
    plots += drawing.take_command();
  }
  if (!keys.empty()) {
    plots +=
        "set lmargin at screen 0.02\nset rmargin at screen 0.98\nset bmargin at screen 0\n"
        "set tmargin at screen " +
        number(std::round(key_height / total_height * 1e5) / 1e5) +
        "\nunset title\nunset xlabel\nunset ylabel\nunset border\nunset xtics\nunset ytics\n"
        "unset grid\nunset logscale x\nset xrange [0:1]\nset yrange [0:1]\n"
        "set key center center horizontal Left reverse maxcols " +
        std::to_string(keys_a_line) + " samplen 3 spacing 1.1\nplot ";
    for (std::size_t i = 0; i < keys.size(); ++i)
      plots += (i > 0 ? ", \\\n  " : "") + std::string("NaN ") + keys[i].second + " title " +
               literal(keys[i].first);
    plots += "\n";
  }
  return text + drawing.data() +
         "set border 3 lw 0.7 lc rgb '#333333'\nset tics nomirror out scale 0.5\nset xtics offset "
         "0,0.25\n"
         "set grid ytics lc rgb '#dddddd' lw 0.6 dt 1\nset key off\nset multiplot\n" +
         plots + "unset multiplot\n";
}

}  // namespace attnspan
