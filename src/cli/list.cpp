#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attention/variant.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/sample_text.hpp"
#include "core/names.hpp"
#include "position/position.hpp"
#include "sweep/presets.hpp"
#include "task/file_task.hpp"
#include "task/task.hpp"

namespace attnspan {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t page_width = 80;

/// Lines of at most `width` characters, broken at blanks and line feeds.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& paragraph : split(text, '\n')) {
    lines.emplace_back();
    for (const std::string& word : split(paragraph, ' ')) {
      if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width)
        lines.emplace_back();
      else if (!lines.back().empty())
        lines.back() += ' ';
      std::string rest = word;
      while (rest.size() > width) {  // a long name ends its line behind a '~' or a comma
        const std::size_t mark = rest.find_last_of("~,", width - 1);
        const std::size_t cut = mark == std::string::npos ? width : mark + 1;
        lines.back() += rest.substr(0, cut);
        rest.erase(0, cut);
        lines.emplace_back();
      }
      lines.back() += rest;
    }
  }
  return lines;
}

/// Two columns, indented. A line feed in the second goes on in the second, as does what is too
/// long.
std::string columns(const Lines& lines, std::size_t indent) {
  std::size_t width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, text] : lines) {
    std::string first = name;
    for (const std::string& line : wrapped(text, page_width - indent - width - 2)) {
      out += std::string(indent, ' ') + first + std::string(width - first.size() + 2, ' ') + line +
             '\n';
      first.clear();
    }
  }
  return out;
}

/// One column; what is too long goes on two columns further in.
std::string paragraph(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t at = indent;
  for (const std::string& line : wrapped(text, page_width - indent - 2)) {
    out += std::string(at, ' ') + line + '\n';
    at = indent + 2;
  }
  return out;
}

/// What it is, where it comes from, and what may be set.
std::string brief(const Part& part) {
  std::string text = part.summary + (part.source.empty() ? "" : " (" + part.source + ")");
  std::vector<std::string> settings;
  for (const ParameterSpec& parameter : part.parameters)
    settings.push_back(parameter.name + "=" + parameter.default_value);
  if (!settings.empty()) text += '\n' + join(settings);
  return text;
}

template <class Entry>
std::string list_parts(std::span<const Entry> catalog) {
  Lines lines;
  for (const Entry& entry : catalog) lines.emplace_back(entry.name, brief(entry));
  return columns(lines, 2);
}

std::string list_tasks() {
  return "Tasks (--task NAME or NAME:parameter=value,parameter=value)\n" +
         list_parts(task_catalog()) + list_parts(std::span<const Part>(&file_part(), 1));
}

std::string list_aliases(const std::vector<Alias>& aliases) {
  Lines lines;
  for (const Alias& alias : aliases)
    lines.emplace_back(alias.name, alias.summary + " (" + alias.text + ")");
  return columns(lines, 2);
}

std::string list_attention() {
  return "Attention variants (--attention NORMALIZER[:parameters][+SCALER[:parameters]],\n"
         "as in entmax:1.3+adaptive; a first value without a name is the first parameter;\n"
         "with @evaluation behind it the scaler scales nothing in training; a~b is a in\n"
         "the first layer and b from the second on)\n"
         "Normalizers\n" +
         list_parts(normalizer_catalog()) + "Scalers\n" + list_parts(scaler_catalog()) +
         "Names of the literature for pairs\n" + list_aliases(attention_aliases());
}

std::string list_positions() {
  return "Position encodings (--position NAME or NAME:parameter=value,parameter=value;\n"
         "a~b is a in the first layer and b from the second on, (a~b) takes turns)\n" +
         list_parts(position_catalog()) + "Names of the literature for such turns\n" +
         list_aliases(position_aliases());
}

std::string list_presets() {
  Lines lines;
  for (const Preset& preset : preset_catalog()) {
    // The first line of a preset is a comment that says what it is for.
    const std::string line = preset.text.substr(0, preset.text.find('\n'));
    const std::size_t text = line.find_first_not_of("/ ");
    lines.emplace_back(preset.name, text == std::string::npos ? "" : line.substr(text));
  }
  return "Presets (attnspan sweep NAME)\n" + columns(lines, 2);
}

/// Everything that a part says of itself.
std::string explain(const std::string& kind, const Part& part) {
  std::string out = paragraph(kind + " " + part.name + ": " + part.summary, 0);
  if (!part.formula.empty()) out += paragraph("formula: " + part.formula, 2);
  if (!part.source.empty()) out += paragraph("source: " + part.source, 2);
  for (const Alias& alias : part.aliases)
    out += paragraph(alias.name + " is " + alias.text + ": " + alias.summary, 2);
  if (part.parameters.empty()) return out + "  no parameters\n";
  Lines lines;
  for (const ParameterSpec& parameter : part.parameters)
    lines.emplace_back(parameter.name + "=" + parameter.default_value,
                       parameter.help + '\n' + describe_values(parameter));
  return out + "  parameters (" + part.name + ":name=value,...; the first may go unnamed)\n" +
         columns(lines, 4);
}

bool has_length(const Task& task, std::int64_t length) {
  try {
    task.check_length(length);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

/// The same for a task, with a sample as short as the task has one.
std::string explain(const TaskEntry& entry) {
  const std::string part = explain("task", static_cast<const Part&>(entry));
  NamedTask named;
  try {
    named = make_task(entry.name);
  } catch (const InputError& error) {  // its data are not there
    return part + paragraph(std::string("no sample is shown: ") + error.what(), 2);
  }
  std::int64_t length = 12;
  while (!has_length(*named.task, length)) ++length;
  Rng rng(0, Stream::preview);
  return part + "  a test sample at length " + std::to_string(length) + ", answers in brackets\n" +
         paragraph(sample_text(*named.task, named.task->generate(rng, length, Purpose::evaluation)),
                   4);
}

/// "attnspan list entmax and attnspan list adaptive" for entmax:1.5+adaptive.
std::string see_parts(const std::string& pair) {
  std::vector<std::string> commands;
  for (const std::string& part : split(pair, '+'))
    commands.push_back("attnspan list " + part.substr(0, part.find(':')));
  return join(commands, " and ");
}

/// Every part of this name, explained; empty when there is none. Adds the names there are.
std::string explain_named(const std::string& name, std::vector<std::string>& names) {
  std::string out;
  for (const Alias& alias : attention_aliases()) {
    names.push_back(alias.name);
    if (alias.name == name)
      out += paragraph("attention " + name + ": " + alias.summary, 0) +
             paragraph("stands for " + alias.text + "; see " + see_parts(alias.text), 2);
  }
  for (const Alias& alias : position_aliases()) {
    names.push_back(alias.name);
    if (alias.name == name)
      out += paragraph("position encoding " + name + ": " + alias.summary, 0) +
             paragraph("stands for " + alias.text, 2);
  }
  const auto look = [&](const std::string& kind, const auto& catalog) {
    for (const auto& entry : catalog) {
      names.push_back(entry.name);
      if (entry.name == name) out += explain(kind, entry);
    }
  };
  for (const TaskEntry& entry : task_catalog()) {
    names.push_back(entry.name);
    if (entry.name == name) out += explain(entry);
  }
  look("task", std::span<const Part>(&file_part(), 1));
  look("normalizer", normalizer_catalog());
  look("scaler", scaler_catalog());
  look("position encoding", position_catalog());
  return out;
}

std::string list(const std::string& what) {
  const std::vector<std::pair<std::string, std::string (*)()>> lists{{"tasks", list_tasks},
                                                                     {"attention", list_attention},
                                                                     {"positions", list_positions},
                                                                     {"presets", list_presets}};
  std::string out;
  std::vector<std::string> names;
  for (const auto& [name, write] : lists) {
    if (what == name) return write();
    out += (out.empty() ? "" : "\n") + write();
    names.push_back(name);
  }
  if (what.empty()) return out;
  out = explain_named(what, names);
  if (out.empty()) unknown_name("list or name", what, names);
  return out;
}

}  // namespace

void add_list(CLI::App& app, Command& command) {
  auto what = std::make_shared<std::string>();
  CLI::App* list_command = app.add_subcommand(
      "list", "Name the tasks, attention variants, positions and presets, or explain one");
  list_command->add_option("what", *what,
                           "tasks, attention, positions or presets, or the name of one task or "
                           "part; all if left out");
  list_command->footer(
      "Examples:\n  attnspan list\n  attnspan list attention\n"
      "  attnspan list recall");
  list_command->callback([what, &command] {
    command = [what] {
      print(list(*what));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
