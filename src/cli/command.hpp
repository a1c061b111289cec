#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace attnspan {

/// What the chosen subcommand does once the command line has been read; returns the exit code.
using Command = std::function<int()>;

/// Exit codes, as documented in the help.
enum ExitCode {
  exit_ok = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_failed_cells = 3,
  exit_interrupted = 130
};

// Each adds one subcommand, with its options and help, and sets `command` when it is chosen.
void add_list(CLI::App& app, Command& command);
void add_data(CLI::App& app, Command& command);
void add_sweep(CLI::App& app, Command& command);
void add_eval(CLI::App& app, Command& command);
void add_predict(CLI::App& app, Command& command);
void add_inspect(CLI::App& app, Command& command);
void add_merge(CLI::App& app, Command& command);
void add_compare(CLI::App& app, Command& command);
void add_plot(CLI::App& app, Command& command);
void add_report(CLI::App& app, Command& command);
void add_verify(CLI::App& app, Command& command);
void add_diff(CLI::App& app, Command& command);
void add_man(CLI::App& app, Command& command);
void add_completion(CLI::App& app, Command& command);
void add_bench(CLI::App& app, Command& command);

}  // namespace attnspan
