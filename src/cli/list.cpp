#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attention/variant.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/names.hpp"
#include "position/position.hpp"
#include "sweep/presets.hpp"
#include "task/task.hpp"

namespace attnspan {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Two columns, indented.
std::string columns(const Lines& lines, std::size_t indent) {
  std::size_t width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, text] : lines)
    out +=
        std::string(indent, ' ') + name + std::string(width - name.size() + 2, ' ') + text + '\n';
  return out;
}

std::string list_tasks() {
  std::string out = "Tasks (--task NAME or NAME:parameter=value,parameter=value)\n";
  for (const TaskEntry& entry : task_catalog()) {
    out += "  " + entry.name + "  " + entry.summary + '\n';
    Lines parameters;
    for (const ParameterSpec& parameter : entry.parameters)
      parameters.emplace_back(parameter.name + "=" + parameter.default_value, parameter.help);
    out += columns(parameters, 6);
  }
  return out;
}

std::string list_attention() {
  Lines aliases, normalizers, scalers;
  for (const AttentionAlias& alias : attention_aliases())
    aliases.emplace_back(alias.name, alias.summary + " (" + alias.pair + ")");
  for (const NormalizerEntry& entry : normalizer_catalog()) {
    const std::string argument =
        entry.argument ? ":" + entry.argument->name + "=" + shortest(entry.argument->default_value)
                       : "";
    normalizers.emplace_back(entry.name + argument, entry.summary);
  }
  for (const ScalerEntry& entry : scaler_catalog()) scalers.emplace_back(entry.name, entry.summary);
  return "Attention variants (--attention NAME)\n" + columns(aliases, 2) +
         "  or NORMALIZER[:argument][+SCALER], as in entmax:1.3+adaptive\n"
         "Normalizers\n" +
         columns(normalizers, 2) + "Scalers\n" + columns(scalers, 2);
}

std::string list_positions() {
  Lines lines;
  for (const PositionEntry& entry : position_catalog())
    lines.emplace_back(entry.name, entry.summary);
  return "Position encodings (--position NAME)\n" + columns(lines, 2);
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
  if (!what.empty()) unknown_name("list", what, names);
  return out;
}

}  // namespace

void add_list(CLI::App& app, Command& command) {
  auto what = std::make_shared<std::string>();
  CLI::App* list_command =
      app.add_subcommand("list", "Name the tasks, attention variants, positions and presets");
  list_command->add_option("what", *what,
                           "tasks, attention, positions or presets; all if left out");
  list_command->footer("Examples:\n  attnspan list\n  attnspan list attention");
  list_command->callback([what, &command] {
    command = [what] {
      print(list(*what));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
