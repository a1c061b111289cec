#include "sweep/merge.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/destination.hpp"
#include "cli/output.hpp"
#include "record/result.hpp"
#include "report/table.hpp"

namespace attnspan {

void add_merge(CLI::App& app, Command& command) {
  auto paths = std::make_shared<std::vector<std::string>>();
  auto output = std::make_shared<std::string>();
  CLI::App* merge_command = app.add_subcommand("merge", "Join the results of a sweep's shards");
  merge_command->add_option("results", *paths, "Results files of one sweep")->required();
  merge_command->add_option("-o,--output", *output, "File to write; - or nothing: stdout");
  merge_command->footer(
      "The result is what one run of the whole sweep gives. Missing cells and cells with two\n"
      "different outcomes are named, and nothing is then written.\n"
      "\n"
      "Example:\n"
      "  attnspan sweep quick --shard 1/2 -o part1.json\n"
      "  attnspan sweep quick --shard 2/2 -o part2.json\n"
      "  attnspan merge part1.json part2.json -o quick.json");
  merge_command->callback([paths, output, &command] {
    command = [paths, output] {
      const Destination destination(*output);
      std::vector<Result> results;
      for (const std::string& path : *paths) results.push_back(load_result(path));
      destination.write(to_text(result_document(merge(results))));
      return exit_ok;
    };
  });
}

}  // namespace attnspan
