#include "cli/sample_text.hpp"

namespace attnspan {

std::string sample_text(const Task& task, const Sample& sample) {
  std::string text;
  auto answer = sample.answers.begin();
  for (std::size_t p = 0; p < sample.tokens.size(); ++p) {
    const bool asked = answer != sample.answers.end() && static_cast<std::size_t>(*answer) == p &&
                       (++answer, true);
    const std::string name = task.token_name(sample.tokens[p]);
    text += (p > 0 ? " " : "") + (asked ? "[" + name + "]" : name);
  }
  return text;
}

}  // namespace attnspan
