#include "cli/destination.hpp"

#include <sys/stat.h>

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

void Destination::write(std::string_view text) const {
  if (is_stdout())
    print(text);
  else
    write_atomically(path_, text);
}

}  // namespace attnspan
