#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "record/result.hpp"
#include "report/page.hpp"

namespace attnspan {

void add_report(CLI::App& app, Command& command) {
  struct Options {
    std::vector<std::string> paths, own;
    std::string output, baseline;
  };
  auto options = std::make_shared<Options>();
  CLI::App* report = app.add_subcommand("report", "Show results as one page for a browser");
  report->add_option("results", options->paths, "Results files")->required();
  report->add_option("-o,--output", options->output, "File to write; - or nothing: stdout")
      ->type_name("FILE");
  report->add_option("--baseline", options->baseline,
                     "The variant that others are compared with: softmax, or softmax/nape "
                     "(default: softmax where there is one)");
  report
      ->add_option("--own", options->own,
                   "What may differ from it too, because a search chose it for each: "
                   "learning_rates, weight_decay; may be repeated")
      ->type_name("SETTING")
      ->allow_extra_args(false);
  report->footer(
      "The page needs nothing but itself: no network, no other file. It holds its data, as JSON\n"
      "and CSV to download.\n"
      "\n"
      "Example:\n"
      "  attnspan report quick.json -o quick.html");
  report->callback([options, &command] {
    command = [options] {
      const Destination destination(options->output);
      destination.keep_from(options->paths);
      std::vector<Result> results;
      for (const std::string& path : options->paths) results.push_back(load_result(path));
      destination.write(render_page(results, options->baseline, options->own));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
