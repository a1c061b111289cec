#include "report/gnuplot.hpp"

#include "core/error.hpp"
#include "report/figure.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/rows.hpp"

using namespace attnspan;
using test::cell;

namespace {

Result example() {
  Result result;
  for (int seed = 0; seed < 3; ++seed)
    for (const char* attention : {"softmax", "entmax"}) {
      result.cells.push_back(cell(attention, 0.001, seed, 100, {100, 90 - seed, 10}));
      CellRow& row = result.cells.back();
      row.train.curve = {{500, 1, 1e-3, 1, 0.5}, {1000, 0.1, 1e-3, 1, 0.97}};
      row.evaluations[1].shortcuts = {{"first", 0.12}};
      row.evaluations[1].counts.depth.resize(10);
      row.evaluations[1].counts.depth[3] = {100, 100};
    }
  return result;
}

std::vector<Panel> panels(const std::string& name, const Result& result) {
  const Collection collection = collect({result});
  return figure_panels(name, collection, with_baseline(collection, "softmax"));
}

}  // namespace

TEST_CASE("Figures show what the table has, shares in percent", "[unit]") {
  const Panel accuracy = panels("accuracy", example()).at(0);
  CHECK(accuracy.title == "recall, trained at length 16");
  REQUIRE(accuracy.series.size() == 2);
  CHECK(accuracy.series[0].name == "softmax/nape");
  CHECK(accuracy.series[0].points[1].x == 4);
  CHECK(accuracy.series[0].points[1].y == Approx(89));
  CHECK(accuracy.series[0].seeds.size() == 3);
  CHECK(accuracy.series[0].seeds[2][1].y == Approx(88));
  REQUIRE(accuracy.rules.size() == 2);
  CHECK(accuracy.rules[0].points[2].y == Approx(100.0 / 4096));
  CHECK(accuracy.rules[1].points.at(0).y == Approx(12));

  const Panel difference = panels("difference", example()).at(0);
  REQUIRE(difference.series.size() == 1);
  CHECK(difference.series[0].name == "entmax/nape");
  CHECK(difference.series[0].look == 1);  // as in the other figures

  CHECK(panels("training", example())[0].series[1].points[1].y == Approx(97));
  const Panel cost = panels("cost", example()).at(0);
  CHECK(cost.y_names == std::vector<std::string>{"softmax/nape (3 of 3)", "entmax/nape (3 of 3)"});
  CHECK(cost.series[0].points[0].x == 2048000);
  const auto depth = panels("depth", example());
  REQUIRE(depth.size() == 2);
  CHECK(depth[0].series.at(0).points.at(0).x == 35);
}

TEST_CASE("Figures of bits per byte have bits, and positions on a logarithmic axis", "[unit]") {
  Result result = example();
  for (CellRow& row : result.cells) {
    row.metric = &bits_per_byte();
    row.evaluations[1].shortcuts = {{"order 5", 2.25}};
    for (Evaluation& evaluation : row.evaluations)
      for (int k = 0; k < 12; ++k) evaluation.counts.positions.push_back({2, -k * std::log(2.0)});
  }
  const Panel bits = panels("accuracy", result).at(0);
  REQUIRE(bits.rules.size() == 1);
  CHECK(bits.rules[0].name == "best shortcut");
  CHECK(bits.rules[0].points.at(0).y == 2.25);

  const Panel panel = panels("position", result).at(0);
  const std::vector<FigurePoint>& points = panel.series.at(1).points;
  REQUIRE(points.size() == 8);  // the first bytes of a window say little
  CHECK(points[0].x == 16);
  CHECK(points[0].y == Approx(2));
  CHECK(points[7].x == 2048);
  const std::string script = gnuplot_script({panel}, find_plot_format(".pdf"), 8, "Times");
  CHECK(count(script, "\nset logscale x\n") == 1);
  CHECK(count(script, "'16' 16, '32' 32") == 1);
  CHECK(count(script, "set xrange [14.5") == 1);
  CHECK(count(script, "'16x' 16") == 0);  // bytes are no multiples

  for (CellRow& row : result.cells)
    for (Evaluation& evaluation : row.evaluations) evaluation.counts.positions.resize(3);
  CHECK(panels("position", result).at(0).series.at(0).points.at(0).x == 1);  // there are no others
}

TEST_CASE("A figure without anything to show and one that does not exist are refused", "[unit]") {
  Result result;
  result.cells = {cell("softmax", 0.001, 0, 100, {100})};
  for (const char* name : {"difference", "training", "cost", "depth", "position", "acuracy"}) {
    INFO(name);
    CHECK_THROWS_AS(panels(name, result), InputError);
  }
  CHECK(find_plot_format("a/b.c.svg").extension == "svg");
  for (const char* path : {"figure", "figure.jpg", ".svgz", ""})
    CHECK_THROWS_AS(find_plot_format(path), InputError);
}

TEST_CASE("Names are texts to gnuplot, whatever is in them", "[property]") {
  Result result = example();
  const std::string evil = "`touch x` '; system(\"touch x\") # \" @HOME \\n";
  for (CellRow& row : result.cells) {
    row.task += evil;
    row.attention += evil;
    row.evaluations[1].shortcuts = {{evil, 1}};
    for (Evaluation& evaluation : row.evaluations) {
      evaluation.diagnosis = AttentionFigures{1, 1, {HeadFigures{}}};
      evaluation.counts.positions = {{1, -1}, {2, -3}};
    }
  }
  const std::string doubled = "`touch x` ''; system(\"touch x\") # \" @HOME \\n";
  for (const std::string_view figure : figure_names()) {
    const Collection collection = collect({result});
    const std::string script = gnuplot_script(
        figure_panels(figure, collection, with_baseline(collection, "softmax" + evil)),
        find_plot_format(".svg"), 8, "Times'; system('touch x')");
    INFO(script);
    CHECK(count(script, "'; system(\"touch x\")") == count(script, "''; system(\"touch x\")"));
    CHECK(count(script, doubled) > 0);
    CHECK(count(script, "Times''; system(''touch x'')") == 1);
  }
}

TEST_CASE("The script has three panels beside each other and a key below", "[unit]") {
  const Panel panel = panels("accuracy", example()).at(0);
  const std::string one = gnuplot_script({panel}, find_plot_format(".pdf"), 8, "Times");
  CHECK(one.find("set terminal pdfcairo size 8cm,") == 0);
  CHECK(one.find("font 'Times,7'") != std::string::npos);
  const std::string four =
      gnuplot_script({panel, panel, panel, panel}, find_plot_format(".pdf"), 8, "Times");
  CHECK(four.find("set terminal pdfcairo size 24cm,") == 0);
  CHECK(count(four, "\nset title") == 4);
  CHECK(count(four, " title 'softmax/nape'") == 1);
  CHECK(count(four, " title 'best shortcut'") == 1);
}

TEST_CASE("An encoding that the key has no room for stands in the title where all have it",
          "[unit]") {
  const std::string encoding = "rope:window=8,scaled=unbiased~rope:window=8,scaled=unbiased~nope";
  const auto script = [](const Result& result, double width) {
    return gnuplot_script(panels("accuracy", result), find_plot_format(".pdf"), width, "Times");
  };
  Result result = example();
  for (CellRow& row : result.cells) row.position = encoding;
  const std::string narrow = script(result, 8);
  CHECK(count(narrow, " title 'softmax'") == 1);
  CHECK(count(narrow, " title 'entmax'") == 1);
  CHECK(count(narrow, "scaled=unbiased~nope'") == 1);  // the title's last line
  CHECK(count(script(result, 40), " title 'softmax/" + encoding + "'") == 1);

  result.cells.front().position = "nape";
  CHECK(count(script(result, 8), " title 'entmax/" + encoding + "'") == 1);
}
