#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnspan {

/// Where a result goes: a file, or stdout ("-" or nothing).
class Destination {
 public:
  /// Throws FileError when it is a folder.
  explicit Destination(std::string path);

  /// Whether it is a file proper, which can have a journal beside it: not stdout, a pipe or a
  /// device.
  bool is_file() const { return is_file_; }
  bool is_stdout() const { return path_.empty() || path_ == "-"; }
  const std::string& path() const { return path_; }

  /// Throws InputError when it is one of these files, which are read and not to be replaced.
  void keep_from(const std::vector<std::string>& inputs) const;

  /// Replaces the file, atomically, or writes to the stream. Throws FileError.
  void write(std::string_view text) const;

 private:
  std::string path_;
  bool is_file_ = false;
};

}  // namespace attnspan
