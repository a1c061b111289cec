#include "task/task.hpp"

#include <algorithm>
#include <cstdio>

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
  const std::optional<std::int64_t> count = task.stored_count(stream, length);
  if (!count) return asked_for;
  if (*count > 0) return std::min(asked_for, *count);
  std::vector<std::string> lengths;
  for (const StoredSamples& samples : task.stored(stream))
    lengths.push_back(std::to_string(samples.length));
  throw InputError(std::string("there are no ") +
                   (stream == Stream::validation ? "validation" : "test") + " samples of length " +
                   std::to_string(length) + ", only of " + join(lengths) + ".");
}

std::optional<std::int64_t> Task::stored_count(Stream stream, std::int64_t length) const {
  const std::vector<StoredSamples> all = stored(stream);
  if (all.empty()) return std::nullopt;
  for (const StoredSamples& samples : all)
    if (samples.length == length) return samples.count;
  return 0;
}

std::string hash_digits(std::uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

namespace {

/// A task's text and the hash of the data that it asks for, which is no parameter; empty for none.
struct HashedText {
  std::string text, hash;
};

HashedText take_hash(std::string_view text) {
  const std::size_t at = text.rfind("hash=");
  const bool has_hash = at != std::string_view::npos && at > 0 &&
                        (text[at - 1] == ',' || text[at - 1] == ':') &&
                        text.find(',', at) == std::string_view::npos;
  if (!has_hash) return {std::string(text), ""};
  return {std::string(text.substr(0, at - 1)), std::string(text.substr(at + 5))};
}

}  // namespace

NamedTask make_task(std::string_view text) {
  if (is_file_task(text)) return make_file_task(text);
  const HashedText hashed = take_hash(text);
  const Choice<TaskEntry> choice = choose("task", task_catalog(), hashed.text);
  NamedTask named{choice.label(), choice.resolved(), choice.entry->make(choice.arguments)};
  const std::optional<std::uint64_t> found = named.task->data_hash();
  if (found) named.resolved += ",hash=" + hash_digits(*found);
  if (hashed.hash.empty()) return named;
  if (!found)
    throw InputError("the task " + named.label + " reads no data that a hash could be of.");
  if (hashed.hash != hash_digits(*found))
    throw InputError("the text of " + named.label + " has changed: its hash is " +
                     hash_digits(*found) + ", and that of the text that was used is " +
                     hashed.hash.substr(0, 40) + ".");
  return named;
}

std::string resolve_task(std::string_view text) {
  try {
    const HashedText hashed = take_hash(text);
    const std::string resolved = choose("task", task_catalog(), hashed.text).resolved();
    return hashed.hash.empty() ? resolved : resolved + ",hash=" + hashed.hash;
  } catch (const InputError&) {
    return std::string(text);
  }
}

}  // namespace attnspan
