#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "cli/build_info.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

/// Text for roff: no character of it is a request, an escape or a typographic hyphen.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_first = out.empty() || out.back() == '\n';
    if (is_first && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string section(const std::string& title) { return ".SH " + title + "\n"; }

std::string as_it_stands(const std::string& text) {
  return text.empty() ? "" : ".PP\n.nf\n" + roff(text) + "\n.fi\n";
}

std::string option(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back(bold("-" + name));
  for (const std::string& name : option.get_lnames()) names.push_back(bold("--" + name));
  std::string head = names.empty() ? italic(option.get_name()) : join(names);
  if (!names.empty() && option.get_items_expected_max() > 0)
    head += " " + italic(option.get_type_name());
  std::string text = option.get_description();
  if (const std::string& value = option.get_default_str(); !value.empty())
    text += " (default: " + value + ")";
  return ".TP\n" + head + "\n" + roff(text) + "\n";
}

/// Options by their groups, arguments without a name first.
std::string options(const CLI::App& app) {
  std::string arguments, text;
  std::vector<std::string> groups;
  for (const CLI::Option* one : app.get_options()) {
    if (one->get_positional() && one->get_lnames().empty())
      arguments += option(*one);
    else if (std::find(groups.begin(), groups.end(), one->get_group()) == groups.end())
      groups.push_back(one->get_group());
  }
  if (!arguments.empty()) text += section("ARGUMENTS") + arguments;
  for (const std::string& group : groups) {
    std::string title = group;
    std::transform(title.begin(), title.end(), title.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    text += section("\"" + title + "\"");
    for (const CLI::Option* one : app.get_options())
      if (one->get_group() == group && !one->get_lnames().empty()) text += option(*one);
  }
  return text;
}

std::vector<const CLI::App*> commands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string page(const CLI::App& app, const std::string& command) {
  const CLI::App* shown = &app;
  std::vector<std::string> names;
  for (const CLI::App* one : commands(app)) {
    names.push_back(one->get_name());
    if (one->get_name() == command) shown = one;
  }
  if (shown == &app && !command.empty()) unknown_name("command", command, names);
  const bool is_whole = shown == &app;
  const std::string name = is_whole ? "attnspan" : "attnspan-" + command;
  const std::string what = is_whole ? "measure how far attention spans" : shown->get_description();
  const std::string build = describe_build();
  std::string text =
      ".TH \"" + roff(name) + "\" 1 \"\" \"" + roff(build.substr(0, build.find(" ("))) + "\"\n" +
      section("NAME") + roff(name + " - " + what) + "\n" + section("SYNOPSIS") + bold("attnspan") +
      (is_whole ? " " + italic("COMMAND") : " " + bold(command)) + " [" + italic("OPTIONS") + "]";
  for (const CLI::Option* one : shown->get_options())
    if (one->get_positional() && one->get_lnames().empty()) text += " " + italic(one->get_name());
  text += "\n";
  if (is_whole) {
    text += section("DESCRIPTION") + roff(app.get_description()) + "\n" + section("COMMANDS");
    for (const CLI::App* one : commands(app))
      text += ".TP\n" + bold(one->get_name()) + "\n" + roff(one->get_description()) + "\n";
  }
  text += options(*shown);
  text += section("NOTES") + as_it_stands(shown->get_footer()) + section("\"SEE ALSO\"");
  std::vector<std::string> others;
  if (!is_whole) others.push_back(bold("attnspan") + "(1)");
  for (const CLI::App* one : commands(app))
    if (one != shown) others.push_back(bold("attnspan-" + one->get_name()) + "(1)");
  return text + join(others) + "\n";
}

}  // namespace

void add_man(CLI::App& app, Command& command) {
  auto name = std::make_shared<std::string>();
  CLI::App* man = app.add_subcommand("man", "Print the manual page of attnspan or of a command");
  man->add_option("command", *name, "A command; attnspan as a whole if left out");
  man->footer("Example:\n  attnspan man sweep | man -l -");
  man->callback([name, &app, &command] {
    command = [name, &app] {
      print(page(app, *name));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
