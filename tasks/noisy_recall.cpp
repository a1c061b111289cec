#include "task/recall.hpp"

namespace attnspan::tasks {

TaskEntry noisy_recall() {
  std::vector<ParameterSpec> parameters = recall_parameters();
  parameters.push_back({.name = "noise",
                        .help = "symbols that noise is made of; keys and values have none of them",
                        .default_value = "16",
                        .minimum = 1,
                        .maximum = 65536});
  for (ParameterSpec& parameter : parameters)
    if (parameter.name == "density") parameter.default_value = "0.5";
  return {
      {.name = "noisy-recall",
       .summary = "recall with random tokens between the pairs: n3 k k = v v n7 n1 ... ? k k = v v",
       .source = "Poli et al. 2024, arXiv 2403.17844",
       .parameters = std::move(parameters)},
      [](const Arguments& arguments) {
        return make_recall({.task = "noisy-recall", .noise = arguments.integer("noise")},
                           arguments);
      }};
}

}  // namespace attnspan::tasks
