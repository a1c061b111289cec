#pragma once

#include "cli/command.hpp"

namespace attnspan {

/// Reads the command line and runs the subcommand it names. Whatever goes wrong becomes one
/// sentence on stderr and an exit code.
int run(CLI::App& app, Command& command, int argc, char** argv);

}  // namespace attnspan
