#include "cli/sample_text.hpp"

namespace attnspan {

std::string sample_text(const Task& task, const Sample& sample) {
  std::string text;
  const auto append = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  std::size_t next = 0;
  for (std::size_t p = 0; p < sample.tokens.size(); ++p) {
    const std::string name = task.token_name(sample.tokens[p]);
    const bool asked =
        next < sample.answers.size() && static_cast<std::size_t>(sample.answers[next]) == p;
    if (asked) append("[" + task.token_name(sample.target(next++)) + "]");
    if (!asked || !sample.targets.empty()) append(name);
  }
  // A label behind the last token.
  if (next < sample.answers.size()) append("[" + task.token_name(sample.target(next)) + "]");
  return text;
}

}  // namespace attnspan
