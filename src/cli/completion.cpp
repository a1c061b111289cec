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
#include "report/figure.hpp"
#include "report/format.hpp"
#include "sweep/presets.hpp"
#include "task/task.hpp"

namespace attnspan {
namespace {

// The scripts ask the program itself, so that they know what it has.

const char* const bash_script =
    R"script(# attnspan completion bash: source it, or put it where bash-completion looks.
_attnspan() {
  local words
  words=$(attnspan completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -o nosort -F _attnspan attnspan
)script";

const char* const zsh_script = R"script(#compdef attnspan
# attnspan completion zsh: put it as _attnspan into a folder of fpath.
_attnspan() {
  local -a candidates
  candidates=(${(f)"$(attnspan completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#candidates )); then
    compadd -a candidates
  else
    _files
  fi
}
if [ "$funcstack[1]" = _attnspan ]; then
  _attnspan "$@"
else
  compdef _attnspan attnspan
fi
)script";

const char* const fish_script =
    R"script(# attnspan completion fish: put it as attnspan.fish into a completions folder.
function __attnspan_words
    set -l tokens (commandline -opc) (commandline -ct)
    attnspan completion words -- $tokens[2..-1] 2>/dev/null
end
complete -c attnspan -a '(__attnspan_words)'
)script";

using Words = std::vector<std::string>;

template <class Catalog>
Words names_of(const Catalog& catalog) {
  Words names;
  for (const auto& entry : catalog) names.emplace_back(entry.name);
  return names;
}

Words attentions() {
  Words names = names_of(normalizer_catalog());
  for (const Alias& alias : attention_aliases()) names.push_back(alias.name);
  return names;
}

Words together(const std::vector<Words>& lists) {
  Words all;
  for (const Words& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

Words command_names(const CLI::App& app) {
  Words names;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(one->get_name());
  return names;
}

Words flags_of(const CLI::App& app) {
  Words flags;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

/// What may follow a flag; none where nothing is known.
Words values_of(const std::string& flag) {
  if (flag == "--task") return names_of(task_catalog());
  if (flag == "--attention" || flag == "--baseline") return attentions();
  if (flag == "--position") return names_of(position_catalog());
  if (flag == "--format") return names_of(format_catalog());
  if (flag == "--figure") return {figure_names().begin(), figure_names().end()};
  if (flag == "--metric") return {"exact_match", "token_accuracy"};
  return {};
}

Words arguments_of(const CLI::App& app, const std::string& command) {
  if (command == "sweep") return names_of(preset_catalog());
  if (command == "data") return names_of(task_catalog());
  if (command == "man") return command_names(app);
  if (command == "completion") return {"bash", "zsh", "fish"};
  if (command == "list")
    return together({{"tasks", "attention", "positions", "presets"},
                     names_of(task_catalog()),
                     attentions(),
                     names_of(scaler_catalog()),
                     names_of(position_catalog())});
  return {};
}

/// What the last of the words may become. Of a list with commas the last item is completed.
Words candidates(const CLI::App& app, const Words& words) {
  const std::string last = words.empty() ? "" : words.back();
  Words found;
  std::string before;
  if (words.size() < 2) {
    found = last.starts_with("-") ? flags_of(app) : together({command_names(app), {"help"}});
  } else if (words.front() == "help") {
    found = command_names(app);
  } else {
    const CLI::App* command = nullptr;
    for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
      if (one->get_name() == words.front()) command = one;
    if (command == nullptr) return {};
    const std::string& previous = words[words.size() - 2];
    const CLI::Option* option =
        previous.starts_with("-") ? command->get_option_no_throw(previous) : nullptr;
    if (option != nullptr && option->get_items_expected_max() > 0) {
      found = values_of(previous);
      before = last.substr(0, last.find_last_of(',') + 1);
    } else {
      found = last.starts_with("-") ? flags_of(*command) : arguments_of(app, words.front());
    }
  }
  for (std::string& word : found) word.insert(0, before);
  std::erase_if(found, [&](const std::string& word) { return !word.starts_with(last); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace

void add_completion(CLI::App& app, Command& command) {
  auto shell = std::make_shared<std::string>();
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* completion =
      app.add_subcommand("completion", "Print the script that completes command lines in a shell");
  completion->add_option("shell", *shell, "bash, zsh or fish")->required();
  completion->add_option("words", *words, "What the scripts ask: the words typed so far");
  completion->footer("Example:\n  source <(attnspan completion bash)");
  completion->callback([shell, words, &app, &command] {
    command = [shell, words, &app] {
      if (*shell == "words") {
        std::string text;
        for (const std::string& word : candidates(app, *words)) text += word + "\n";
        print(text);
        return exit_ok;
      }
      for (const auto& [name, script] :
           {std::pair{"bash", bash_script}, std::pair{"zsh", zsh_script},
            std::pair{"fish", fish_script}})
        if (*shell == name) {
          print(script);
          return exit_ok;
        }
      unknown_name("shell", *shell, {"bash", "zsh", "fish"});
    };
  });
}

}  // namespace attnspan
