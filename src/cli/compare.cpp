#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/names.hpp"
#include "record/result.hpp"
#include "report/compare.hpp"
#include "report/format.hpp"

namespace attnspan {

void add_compare(CLI::App& app, Command& command) {
  struct Options {
    std::vector<std::string> paths;
    std::string baseline, format = "md";
  };
  auto options = std::make_shared<Options>();
  CLI::App* compare_command = app.add_subcommand("compare", "Set attention variants side by side");
  compare_command->add_option("results", options->paths, "Results files")->required();
  compare_command->add_option("--baseline", options->baseline,
                              "Also compare with this variant: softmax, or softmax/nape");
  std::vector<std::string> formats;
  for (const FormatEntry& format : format_catalog()) formats.push_back(format.name);
  compare_command->add_option("--format", options->format, join(formats))->capture_default_str();
  compare_command->footer(
      "Examples:\n"
      "  attnspan compare quick.json\n"
      "  attnspan compare quick.json --baseline softmax --format csv > quick.csv");
  compare_command->callback([options, &command] {
    command = [options] {
      const FormatEntry& format = find_format(options->format);
      std::vector<Result> results;
      for (const std::string& path : options->paths) results.push_back(load_result(path));
      print(format.render(compare(results, options->baseline)));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
