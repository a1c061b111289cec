#include "report/page.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "report/diagnosis.hpp"
#include "report/format.hpp"
#include "report/grid.hpp"
#include "report/layout.hpp"
#include "report/learning.hpp"
#include "report/selection.hpp"

namespace attnspan {
namespace {

std::string replaced(std::string_view text,
                     std::span<const std::pair<std::string_view, std::string_view>> replacements) {
  std::string out;
  while (!text.empty()) {
    const auto found = std::find_if(replacements.begin(), replacements.end(),
                                    [&](const auto& one) { return text.starts_with(one.first); });
    out += found == replacements.end() ? text.substr(0, 1) : found->second;
    text.remove_prefix(found == replacements.end() ? 1 : found->first.size());
  }
  return out;
}

Json to_json(const Spread& spread) {
  return {{"mean", finite_or_null(spread.mean)},
          {"min", finite_or_null(spread.min)},
          {"max", finite_or_null(spread.max)}};
}

Json to_json(const Metric& metric) {
  return {{"name", metric.name},
          {"title", metric_title(metric)},
          {"is_share", metric.is_share},
          {"higher_is_better", metric.higher_is_better}};
}

Json curve_json(std::span<const CellRow* const> cells) {
  Json list = Json::array();
  for (const MeanCurvePoint& point : mean_curve(cells))
    list.push_back({{"step", point.step},
                    {"seeds", point.seeds},
                    {"exact_match", to_json(point.exact_match)},
                    {"loss", to_json(point.loss)}});
  return list;
}

Json cost_json(std::span<const CellRow* const> cells) {
  std::vector<double> steps, tokens, seconds;
  for (const LearningCost& cost : learning_costs(cells)) {
    steps.push_back(static_cast<double>(cost.step));
    tokens.push_back(cost.tokens);
    seconds.push_back(cost.seconds);
  }
  return {{"exact_match", learnt},
          {"seeds", steps.size()},
          {"of_seeds", cells.size()},
          {"step", to_json(spread(steps))},
          {"tokens", to_json(spread(tokens))},
          {"seconds", to_json(spread(seconds))}};
}

/// Each measure of what the heads do, against length.
Json diagnosis_json(std::span<const CellRow* const> cells) {
  Json json = Json::object();
  for (const DiagnosisMeasure& measure : diagnosis_measures()) {
    Json points = Json::array();
    for (const DiagnosisPoint& point : diagnosis_curve(cells, measure)) {
      points.push_back(to_json(point.value));
      points.back()["multiple"] = point.multiple;
    }
    if (!points.empty()) json[measure.name] = std::move(points);
  }
  return json;
}

/// How often each tenth of the sequence was right, with its interval.
void add_depth_shares(Json& accuracy) {
  const auto depth = accuracy.find("depth");
  if (depth == accuracy.end()) return;
  Json shares = Json::array(), intervals = Json::array();
  for (std::size_t i = 0; i < (*depth)["samples"].size(); ++i) {
    const auto samples = (*depth)["samples"][i].get<std::int64_t>();
    const auto exact = (*depth)["exact"][i].get<std::int64_t>();
    shares.push_back(finite_or_null(share(exact, samples)));
    intervals.push_back(to_json(wilson(exact, samples)));
  }
  (*depth)["exact_match"] = std::move(shares);
  (*depth)["ci95"] = std::move(intervals);
}

/// Bits per byte by the bytes before: at most so many, and more than half as many.
void add_position_bits(Json& accuracy, const std::vector<PositionSum>& positions) {
  for (std::size_t k = 0; k < positions.size(); ++k)
    if (positions[k].tokens > 0)
      accuracy["by_position"].push_back({{"before", std::int64_t{1} << k},
                                         {"bits_per_byte", finite_or_null(bits(positions[k]))}});
}

/// How large a share of the wrong answers each kind has, and of random ones.
void add_error_shares(Json& accuracy, const std::optional<ErrorCounts>& errors) {
  if (!errors) return;
  for (const ErrorKind& kind : errors->kinds) {
    Json& entry = accuracy["errors"]["kinds"][kind.name];
    entry["share"] = finite_or_null(errors->share_of(kind));
    entry["random_share"] = finite_or_null(errors->random_share(kind));
  }
}

/// Everything that differs with the baseline, for every variant as the baseline of every row.
class AllComparisons {
 public:
  AllComparisons(const Collection& collection, const std::vector<std::string>& own) {
    std::set<std::string> baselines;
    for (const TableRow& row : collection.rows)
      if (baselines.insert(row.attention + "/" + row.position).second)
        comparisons_.push_back(with_baseline(collection, row.attention + "/" + row.position, own));
  }

  /// By the baseline's name as a row; of those with which the row cannot be compared, only why.
  Json of(std::size_t row) const {
    Json json = Json::object();
    for (const Comparison& comparison : comparisons_) {
      const RowComparison& one = comparison.comparisons[row];
      if (one.baseline.empty()) continue;
      json[one.baseline] = attnspan::to_json(one);
      json[one.baseline]["sentence"] = verdict_line(comparison.rows[row], one);
    }
    return json;
  }

 private:
  std::vector<Comparison> comparisons_;
};

/// The command that trains a cell again: in its file where it has no result, else to compare.
std::string rerun_command(const CellRow& cell, const std::string& file) {
  return cell.status == Status::failed || cell.status == Status::skipped
             ? "attnspan sweep " + shell_word(file) + " --rerun " + shell_word(cell.key)
             : "attnspan verify " + shell_word(file) + " --only " + shell_word(cell.key);
}

/// The result that a cell was taken from: the first that has it.
const Result& result_of(const CellRow& cell, const std::vector<Result>& results) {
  for (const Result& result : results)
    for (const CellRow& other : result.cells)
      if (other.key == cell.key && other.numerics == cell.numerics &&
          other.settings == cell.settings)
        return result;
  return results.front();
}

Json cell_json(const CellRow& cell, const std::vector<Result>& results) {
  Json steps = Json::array(), exact_match = Json::array(), loss = Json::array();
  for (const CurvePoint& point : cell.train.curve) {
    steps.push_back(point.step);
    exact_match.push_back(point.exact_match);
    loss.push_back(finite_or_null(point.loss));
  }
  Json tests = Json::array();
  for (const Evaluation& evaluation : cell.evaluations)
    if (evaluation.split == "test" && !evaluation.given_up && evaluation.counts.samples > 0)
      tests.push_back({{"multiple", evaluation.multiple},
                       {"value", finite_or_null(cell.metric->of(evaluation.counts))}});
  return {{"key", cell.key},
          {"task", cell.task},
          {"variant", cell.attention + "/" + cell.position},
          {"train_length", cell.train_length},
          {"learning_rate", cell.learning_rate},
          {"seed", cell.seed},
          {"status", to_string(cell.status)},
          {"message", cell.message},
          {"parameters", cell.parameters},
          {"steps", cell.train.steps},
          {"tokens", cell.train.tokens},
          {"loss", finite_or_null(cell.train.loss)},
          {"seconds", finite_or_null(cell.train.seconds)},
          {"tests", std::move(tests)},
          {"curve", {{"step", steps}, {"exact_match", exact_match}, {"loss", loss}}},
          {"command", rerun_command(cell, result_of(cell, results).origin)}};
}

Json block_json(const Block& block, const Comparison& comparison, const Collection& collection,
                const AllComparisons& all) {
  const TableRow& first = *block.rows.front();
  Json shortcuts = Json::array();
  for (const double multiple : block.multiples) {
    const auto shortcut = find_shortcut(block, multiple);
    shortcuts.push_back(shortcut ? Json{{"name", shortcut->name}, {"value", shortcut->value}}
                                 : Json());
  }
  Json json = {{"title", block_title(first)},
               {"task", first.task},
               {"train_length", first.train_length},
               {"metric", to_json(*first.metric)},
               {"chance", finite_or_null(first.chance)},
               {"chance_text", chance_text(first)},
               {"headline", headline(block)},
               {"verdict_summary", verdict_summary(block)},
               {"verdicts", verdict_lines(block)},
               {"notes", note_lines(block)},
               {"multiples", block.multiples},
               {"best_shortcut", std::move(shortcuts)},
               {"caption", figure_caption(block)},
               {"figures", figure_grid(block)},
               {"rows", Json::array()}};
  for (const TableRow* row : block.rows) {
    Json entry = attnspan::to_json(*row);
    for (std::size_t i = 0; i < row->accuracy.size(); ++i) {
      add_depth_shares(entry["accuracy"][i]);
      add_error_shares(entry["accuracy"][i], row->accuracy[i].errors);
      add_position_bits(entry["accuracy"][i], row->accuracy[i].counts.positions);
    }
    entry["variant"] = variant_name(*row);
    entry["selected_text"] = selected_text(*row);
    entry["seeds_text"] = seeds_text(row->seeds);
    entry["span_text"] = {{"point", span_text(row->span.point)},
                          {"sure", span_text(row->span.sure)},
                          {"possible", span_text(row->span.possible)}};
    std::vector<const CellRow*> cells;
    for (const std::size_t index : row->cells) cells.push_back(&collection.cells[index]);
    entry["cells"] = row->cells;
    entry["curve"] = curve_json(cells);
    entry["cost"] = cost_json(cells);
    entry["diagnosis"] = diagnosis_json(cells);
    entry["comparisons"] = all.of(static_cast<std::size_t>(row - comparison.rows.data()));
    json["rows"].push_back(std::move(entry));
  }
  return json;
}

std::string paragraph(const std::string& kind, const std::string& text) {
  return text.empty() ? "" : "<p class=\"" + kind + "\">" + escaped_html(text) + "</p>\n";
}

std::string list(const std::string& kind, const Json& lines) {
  if (lines.empty()) return "";
  std::string text = "<ul class=\"" + kind + "\">\n";
  for (const Json& line : lines)
    text += "<li>" + escaped_html(line.get<std::string>()) + ".</li>\n";
  return text + "</ul>\n";
}

/// Question and verdicts, which are there without a script, too.
std::string words(const Json& data) {
  std::string text = paragraph("question", data["question"].get<std::string>());
  for (const Json& block : data["blocks"])
    text += "<article class=\"verdict\">\n<h3>" + escaped_html(block["title"].get<std::string>()) +
            "</h3>\n" + paragraph("headline", block["headline"].get<std::string>()) +
            paragraph("summary", block["verdict_summary"].get<std::string>()) +
            (block["verdicts"].empty() && block["notes"].empty()
                 ? ""
                 : "<details>\n<summary>How sure, and what to know</summary>\n" +
                       list("verdicts", block["verdicts"]) + list("notes", block["notes"]) +
                       "</details>\n") +
            "</article>\n";
  return text;
}

}  // namespace

std::string usual_baseline(const std::vector<TableRow>& rows) {
  for (const TableRow& row : rows)
    if (row.attention == "softmax") return row.attention;
  return rows.empty() ? "" : rows.front().attention;
}

Json page_data(const std::vector<Result>& results, std::string_view baseline,
               const std::vector<std::string>& own) {
  const Collection collection = collect(results);
  const std::string compared_with =
      baseline.empty() ? usual_baseline(collection.rows) : std::string(baseline);
  const Comparison comparison = with_baseline(collection, compared_with, own);
  const AllComparisons all(collection, own);
  Json data = {{"question", question_text(comparison)},
               {"baseline", compared_with},
               {"own", own},
               {"selection_rule", selection_rule()},
               {"figures_note", figures_note()},
               {"one_seed_note", has_one_seed(comparison) ? one_seed_note() : ""},
               {"diagnosis_measures", Json::array()},
               {"blocks", Json::array()},
               {"cells", Json::array()},
               {"results", Json::array()}};
  for (const DiagnosisMeasure& measure : diagnosis_measures())
    data["diagnosis_measures"].push_back(
        {{"name", measure.name}, {"title", measure.title}, {"is_share", measure.is_share}});
  for (const Block& block : blocks(comparison))
    data["blocks"].push_back(block_json(block, comparison, collection, all));
  for (const CellRow& cell : collection.cells) data["cells"].push_back(cell_json(cell, results));
  for (const Result& result : results)
    data["results"].push_back(
        {{"file", result.origin}, {"context", result.context}, {"spec", result.spec}});
  data["csv"] = find_format("csv").render(comparison);
  return data;
}

std::string render_page(const std::vector<Result>& results, std::string_view baseline,
                        const std::vector<std::string>& own) {
  const Json data = page_data(results, baseline, own);
  const std::string said = words(data), carried = escaped_json(data);
  const PageTemplate& page = page_template();
  const std::pair<std::string_view, std::string_view> parts[] = {
      {"@style@", page.style}, {"@words@", said}, {"@data@", carried}, {"@script@", page.script}};
  return replaced(page.html, parts);
}

std::string escaped_html(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> references[] = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}};
  return replaced(text, references);
}

std::string escaped_json(const Json& json) {
  // Outside of texts JSON has none of these.
  static constexpr std::pair<std::string_view, std::string_view> escapes[] = {
      {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}};
  return replaced(to_line(json), escapes);
}

std::string shell_word(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> quote[] = {{"'", "'\\''"}};
  const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
  });
  return is_plain ? std::string(word) : "'" + replaced(word, quote) + "'";
}

}  // namespace attnspan
