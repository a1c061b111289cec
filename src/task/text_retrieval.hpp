#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "task/task.hpp"
#include "task/text_source.hpp"

namespace attnspan {

/// A text in which something is hidden, and the words that name it: the different words in lower
/// case of its training part, of 4 to 8 letters, by how many they have.
struct RetrievalText {
  static constexpr std::size_t shortest_word = 4, longest_word = 8;

  std::shared_ptr<const TextParts> parts;
  std::array<std::vector<std::string>, longest_word - shortest_word + 1> words;

  explicit RetrievalText(std::shared_ptr<const TextParts> parts);
};

/// RULER's forms of retrieval, by name.
std::vector<std::string> retrieval_forms();

/// Retrieval from a text, in one of these forms: exact match of values. A sample of length n has
/// n + 1 bytes, as one of the task `text` has, the question and the value at their end. Of the test
/// part it takes what an evaluation sees.
std::unique_ptr<Task> make_text_retrieval(const std::string& form,
                                          std::shared_ptr<const RetrievalText> text);

}  // namespace attnspan
