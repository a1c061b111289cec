#include "cli/run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <string>
#include <vector>

#include "cli/build_info.hpp"
#include "cli/output.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "ops/engine.hpp"

namespace attnspan {
namespace {

const char* const summary =
    "Measures how far attention spans: trains small transformers on short sequences, on the CPU,\n"
    "then tests them on sequences up to 1000 times longer.";

const char* const footer =
    "Exit codes: 0 ok, 1 runtime or file failure, 2 usage or bad input, 3 finished with failed\n"
    "cells, 130 interrupted.\n"
    "\n"
    "Examples:\n"
    "  attnspan sweep quick -o quick.json\n"
    "  attnspan compare quick.json --baseline softmax\n"
    "  attnspan data recall --length 32 --samples 3";

/// "lr" of "--learning-rates".
std::string initials(const std::string& flag) {
  std::string letters;
  for (const std::string& word : split(flag, '-')) letters += word.substr(0, 1);
  return letters;
}

/// `command` is the one whose help says more, with a blank before it, or empty.
[[noreturn]] void unknown_option(const std::string& option, const std::vector<std::string>& allowed,
                                 const std::string& command) {
  const std::string flag = option.substr(0, option.find('='));
  std::string text = unknown_text("option", flag, allowed);
  for (const std::string& one : allowed)
    if (const std::string letters = initials(one); letters.size() > 1 && flag == "--" + letters)
      text = "unknown option '" + flag + "'; did you mean '" + one + "'?";
  throw InputError(text + " See attnspan" + command + " --help.");
}

void check_subcommand(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(subcommand->get_name());
  if (argc < 2) throw InputError("a command is needed: " + join(names) + "; see attnspan --help.");
  const std::string name = argv[1];
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  if (!name.starts_with("-")) unknown_name("command", name, names);
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& flag : option->get_lnames()) flags.push_back("--" + flag);
    for (const std::string& flag : option->get_snames()) flags.push_back("-" + flag);
  }
  if (std::find(flags.begin(), flags.end(), name) == flags.end()) unknown_option(name, flags, "");
}

/// The library names what it did not expect; a guess helps more.
[[noreturn]] void explain_extras(const CLI::App& app, const CLI::ParseError& error) {
  for (const CLI::App* subcommand : app.get_subcommands()) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : subcommand->get_options())
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& extra : subcommand->remaining())
      if (extra.starts_with("-")) unknown_option(extra, flags, " " + subcommand->get_name());
    for (const std::string& extra : subcommand->remaining())
      throw InputError("unexpected argument '" + extra.substr(0, 80) + "'; see attnspan " +
                       subcommand->get_name() + " --help.");
  }
  throw InputError(error.what());
}

/// A file that is opened while one of the three standard streams is closed takes its place, and
/// would get what is printed. What cannot be written to the null device here is an error then.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF)
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// False when the command line asked for help or the version, which is then printed.
bool parse(CLI::App& app, int argc, char** argv) {
  try {
    check_subcommand(app, argc, argv);
    app.parse(argc, argv);
    return true;
  } catch (const CLI::CallForHelp&) {
    print(app.help());
  } catch (const CLI::CallForAllHelp&) {
    print(app.help("", CLI::AppFormatMode::All));
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
  } catch (const CLI::ExtrasError& error) {
    explain_extras(app, error);
  } catch (const CLI::ParseError& error) {
    throw InputError(error.what());
  }
  return false;
}

/// "attnspan help sweep" is "attnspan sweep --help".
std::vector<char*> with_help_first(int argc, char** argv) {
  static char flag[] = "--help";
  std::vector<char*> words(argv, argv + argc);
  if (argc > 3 && std::string_view(argv[1]) == "help")
    throw InputError("attnspan help takes one command.");
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.push_back(flag);
  }
  return words;
}

}  // namespace

int run(CLI::App& app, Command& command, int argc, char** argv) {
  occupy_standard_streams();
  // A reader that goes away and a file that grows too large are errors of the write, with a
  // message.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);

  app.name("attnspan");
  app.description(summary);
  app.footer(footer);
  // Before the version, which names it.
  app.add_option_function<std::string>("--simd", choose_engine,
                                       "Instruction set to use, instead of the widest")
      ->envname("ATTNSPAN_SIMD");
  app.set_version_flag("-v,--version", describe_build);
  app.require_subcommand(1);
  try {
    std::vector<char*> words = with_help_first(argc, argv);
    return parse(app, static_cast<int>(words.size()), words.data()) ? command() : exit_ok;
  } catch (const InputError& error) {
    warn(error.what());
    return exit_usage;
  } catch (const std::bad_alloc&) {
    warn("out of memory");
  } catch (const std::exception& error) {
    warn(error.what());
  }
  return exit_failure;
}

}  // namespace attnspan
