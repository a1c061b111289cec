#include "task/text_retrieval.hpp"

#include <memory>

#include "task/text_bytes.hpp"

namespace attnspan::tasks {

TaskEntry text_retrieval() {
  const auto make = [](const Arguments& arguments) {
    auto parts = std::make_shared<const TextParts>(split_text(read_text(arguments.text("file"))));
    return make_text_retrieval(arguments.text("form"),
                               std::make_shared<const RetrievalText>(std::move(parts)));
  };
  return {{.name = "text-retrieval",
           .summary = "find what is hidden in a text, in bytes: The sum of ruth is 4821733. ... "
                      "The sum of ruth is",
           .source = "RULER, Hsieh et al. 2024, arXiv 2404.06654",
           .parameters = {{.name = "form",
                           .help = "what is hidden among what",
                           .default_value = "multikey-1",
                           .kind = ParameterSpec::Kind::choice,
                           .choices = retrieval_forms()},
                          text_parameter()}},
          make};
}

}  // namespace attnspan::tasks
