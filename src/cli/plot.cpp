#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/output.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/figure.hpp"
#include "report/gnuplot.hpp"
#include "report/page.hpp"

extern char** environ;

namespace attnspan {
namespace {

struct PlotOptions {
  std::vector<std::string> paths, tasks;
  std::string figure = "accuracy", baseline, metric, output, font = "Times";
  double width = 8;
};

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File temporary_file() {
  File file(std::tmpfile());
  if (file == nullptr)
    throw FileError(std::string("cannot make a temporary file: ") + std::strerror(errno));
  return file;
}

std::string read_all(std::FILE* file) {
  std::rewind(file);
  std::string text;
  std::array<char, 65536> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file))
    text.append(buffer.data(), count);
  return text;
}

/// What gnuplot makes of a script. Files, not pipes: neither side can wait for the other.
std::string draw(const std::string& script) {
  const File in = temporary_file(), out = temporary_file(), complaints = temporary_file();
  if (!write_all(::fileno(in.get()), script))
    throw FileError(std::string("cannot write a temporary file: ") + std::strerror(errno));
  std::rewind(in.get());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(complaints.get()), STDERR_FILENO);
  std::string program = "gnuplot", defaults = "-d", standard_input = "-";
  std::array<char*, 4> arguments{program.data(), defaults.data(), standard_input.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error == 0)
    while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
  // Some systems find out in the child that there is no such program.
  if (error != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    throw FileError(
        "figures are drawn by gnuplot, which is not installed here (Debian: gnuplot-nox); -o "
        "FILE.gp writes the script for another machine");
  std::string figure = read_all(out.get());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || figure.empty()) {
    const std::string said = read_all(complaints.get());
    throw FileError("gnuplot failed: " + said.substr(0, 300));
  }
  return figure;
}

int plot(const PlotOptions& options) {
  const bool is_script = options.output.ends_with(".gp");
  const PlotFormat& format = find_plot_format(is_script ? "figure.pdf" : options.output);
  if (!(options.width >= 4 && options.width <= 30))
    throw InputError("--width must be a number of cm from 4 to 30.");
  const Metric* metric = options.metric.empty() ? nullptr : &find_common_metric(options.metric);
  const Destination destination(options.output);
  destination.keep_from(options.paths);
  std::vector<Result> results;
  for (const std::string& path : options.paths) results.push_back(load_result(path));
  keep_tasks(results, options.tasks);
  const Collection collection = collect(results, metric);
  const Comparison comparison =
      with_baseline(collection, options.baseline.empty() && options.figure == "difference"
                                    ? usual_baseline(collection.rows)
                                    : options.baseline);
  const std::string script = gnuplot_script(figure_panels(options.figure, collection, comparison),
                                            format, options.width, options.font);
  destination.write(is_script ? script : draw(script));
  return exit_ok;
}

}  // namespace

void add_plot(CLI::App& app, Command& command) {
  auto options = std::make_shared<PlotOptions>();
  CLI::App* plot_command =
      app.add_subcommand("plot", "Draw a figure for a paper: SVG, PDF or PNG, by gnuplot");
  plot_command->add_option("results", options->paths, "Results files")->required();
  const auto value = [&](const char* name, auto& target, const char* kind,
                         const std::string& help) {
    return plot_command->add_option(name, target, help)->type_name(kind)->allow_extra_args(false);
  };
  value("-o,--output", options->output, "FILE",
        "File to write, .svg, .pdf or .png; .gp for the script that gnuplot would get")
      ->required();
  value("--figure", options->figure, "NAME", join({figure_names().begin(), figure_names().end()}))
      ->capture_default_str();
  value("--task", options->tasks, "NAME",
        "Only this task, in full or without its arguments; may be repeated");
  value("--baseline", options->baseline, "NAME",
        "What differences are to (default: softmax where there is one)");
  value("--metric", options->metric, "NAME",
        "Show exact_match or token_accuracy, instead of what each task is judged by");
  value("--width", options->width, "CM", "Width of each panel")->capture_default_str();
  value("--font", options->font, "NAME", "A font family")->capture_default_str();
  plot_command->footer(
      "Examples:\n"
      "  attnspan plot quick.json -o accuracy.pdf\n"
      "  attnspan plot quick.json --task recall --figure difference --baseline softmax -o "
      "difference.svg");
  plot_command->callback([options, &command] { command = [options] { return plot(*options); }; });
}

}  // namespace attnspan
