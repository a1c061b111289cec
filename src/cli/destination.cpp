#include "cli/destination.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "cli/output.hpp"
#include "core/error.hpp"
#include "core/files.hpp"

namespace attnspan {

Destination::Destination(std::string path) : path_(std::move(path)) {
  if (is_stdout()) return;
  struct stat status {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    throw FileError("cannot write '" + path_ + "': it is a folder");
  is_file_ = !exists || S_ISREG(status.st_mode);
}

void Destination::keep_from(const std::vector<std::string>& inputs) const {
  std::error_code ignored;
  for (const std::string& input : inputs)
    if (is_file_ && std::filesystem::equivalent(path_, input, ignored))
      throw InputError("'" + path_ + "' is read here; write to another file.");
}

void Destination::write(std::string_view text) const {
  if (is_stdout())
    print(text);
  else
    write_atomically(path_, text);
}

}  // namespace attnspan
