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

/// Two columns, indented. A line feed in the second goes on in the second.
std::string columns(const Lines& lines, std::size_t indent) {
  std::size_t width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, text] : lines) {
    std::string first = name;
    for (const std::string& line : split(text, '\n')) {
      out += std::string(indent, ' ') + first + std::string(width - first.size() + 2, ' ') + line +
             '\n';
      first.clear();
    }
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

std::string list_attention() {
  Lines aliases;
  for (const Alias& alias : attention_aliases())
    aliases.emplace_back(alias.name, alias.summary + " (" + alias.text + ")");
  return "Attention variants (--attention NORMALIZER[:parameters][+SCALER[:parameters]], as in\n"
         "entmax:1.3+adaptive; a first value without a name is the first parameter's)\n"
         "Normalizers\n" +
         list_parts(normalizer_catalog()) + "Scalers\n" + list_parts(scaler_catalog()) +
         "Names of the literature for pairs\n" + columns(aliases, 2);
}

std::string list_positions() {
  return "Position encodings (--position NAME or NAME:parameter=value,parameter=value)\n" +
         list_parts(position_catalog());
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
  std::string out = kind + " " + part.name + ": " + part.summary + '\n';
  if (!part.source.empty()) out += "  source: " + part.source + '\n';
  for (const Alias& alias : part.aliases)
    out += "  " + alias.name + " is " + alias.text + ": " + alias.summary + '\n';
  if (part.parameters.empty()) return out + "  no parameters\n";
  Lines lines;
  for (const ParameterSpec& parameter : part.parameters)
    lines.emplace_back(parameter.name + "=" + parameter.default_value,
                       parameter.help + '\n' + describe_values(parameter));
  return out + "  parameters (" + part.name + ":name=value,... or " + part.name +
         ":value for the first)\n" + columns(lines, 4);
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
  const NamedTask named = make_task(entry.name);
  std::int64_t length = 12;
  while (!has_length(*named.task, length)) ++length;
  Rng rng(0, Stream::preview);
  return explain("task", static_cast<const Part&>(entry)) + "  a test sample at length " +
         std::to_string(length) + ", answers in brackets\n    " +
         sample_text(*named.task, named.task->generate(rng, length, Purpose::evaluation)) + '\n';
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
      out += "attention " + name + ": " + alias.summary + "\n  stands for " + alias.text +
             "; see " + see_parts(alias.text) + '\n';
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
