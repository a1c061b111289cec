#pragma once

#include <stdexcept>
#include <string>

namespace attnspan {

/// Input that a person can mend: a flag, a name, a spec. The message is one sentence that says what
/// was wrong and what is allowed. The command line turns it into exit code 2.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Trouble with the file system: unreadable, unwritable, full. Exit code 1.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace attnspan
