#include "task/task.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"
#include "task/file_task.hpp"

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

std::int64_t available_samples(const Task& task, Stream stream, std::int64_t length,
                               std::int64_t asked_for) {
  const std::vector<StoredSamples> stored = task.stored(stream);
  if (stored.empty()) return asked_for;
  std::vector<std::string> lengths;
  for (const StoredSamples& samples : stored) {
    if (samples.length == length) return std::min(asked_for, samples.count);
    lengths.push_back(std::to_string(samples.length));
  }
  throw InputError(std::string("there are no ") +
                   (stream == Stream::validation ? "validation" : "test") + " samples of length " +
                   std::to_string(length) + ", only of " + join(lengths) + ".");
}

NamedTask make_task(std::string_view text) {
  if (is_file_task(text)) return make_file_task(text);
  const Choice<TaskEntry> choice = choose("task", task_catalog(), text);
  return {choice.label(), choice.resolved(), choice.entry->make(choice.arguments)};
}

std::string resolve_task(std::string_view text) {
  try {
    return choose("task", task_catalog(), text).resolved();
  } catch (const InputError&) {
    return std::string(text);
  }
}

}  // namespace attnspan
