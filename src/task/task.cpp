#include "task/task.hpp"

#include "core/error.hpp"

namespace attnspan {

void check_length_range(std::string_view task, std::int64_t length) {
  if (length < 1 || length > longest_length)
    throw InputError(std::string(task) + ": length must be between 1 and " +
                     std::to_string(longest_length) + ", not " + std::to_string(length) + ".");
}

std::vector<Token> hide_answers(const Sample& sample) {
  std::vector<Token> hidden = sample.tokens;
  if (sample.targets.empty())
    for (const std::int32_t p : sample.answers) hidden[static_cast<std::size_t>(p)] = -1;
  return hidden;
}

NamedTask make_task(std::string_view text) {
  const Choice<TaskEntry> choice = choose("task", task_catalog(), text);
  return {choice.label(), choice.resolved(), choice.entry->make(choice.arguments)};
}

}  // namespace attnspan
