#include "cli/command.hpp"
#include "cli/run.hpp"

int main(int argc, char** argv) {
  CLI::App app;
  attnspan::Command command;
  attnspan::add_list(app, command);
  attnspan::add_data(app, command);
  attnspan::add_sweep(app, command);
  attnspan::add_eval(app, command);
  attnspan::add_predict(app, command);
  attnspan::add_inspect(app, command);
  attnspan::add_merge(app, command);
  attnspan::add_compare(app, command);
  attnspan::add_plot(app, command);
  attnspan::add_report(app, command);
  attnspan::add_verify(app, command);
  attnspan::add_diff(app, command);
  attnspan::add_man(app, command);
  attnspan::add_completion(app, command);
  attnspan::add_bench(app, command);
  return attnspan::run(app, command, argc, argv);
}
