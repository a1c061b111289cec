#include "core/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace attnspan {
namespace {

[[noreturn]] void fail(std::string_view action, const std::string& path, int error) {
  throw FileError("cannot " + std::string(action) + " '" + path +
                  "': " + std::generic_category().message(error));
}

/// An open file that is closed whatever happens.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  /// Closing can report a write that failed late (on a network file system).
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

/// Opens a file for writing, which no other process of attnspan then does while it is open.
Descriptor open_alone(const std::string& path) {
  while (true) {
    Descriptor descriptor(path, O_WRONLY | O_CREAT);
    if (!descriptor.is_open()) return descriptor;
    while (::flock(descriptor.number(), LOCK_EX) != 0 && errno == EINTR) {
    }  // any other error: a file system that has no locks
    // Whoever had it before has renamed the file, and the name may be that of a new one.
    struct stat named {
    }, opened{};
    if (::fstat(descriptor.number(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
        named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
      return descriptor;
  }
}

/// The file that a name stands for, which a link is followed to: renaming would replace the link.
std::string followed(const std::string& path) {
  std::error_code none;
  const auto target = std::filesystem::canonical(path, none);
  return none ? path : target.string();
}

/// Without this the new name may be gone after a power cut. File systems that cannot flush a folder
/// say EINVAL, and there is nothing better to do there.
void flush_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (!descriptor.is_open() && errno == EACCES) return;  // may be written to, but not read
  if (!descriptor.is_open() || (::fsync(descriptor.number()) != 0 && errno != EINVAL))
    fail("flush the folder of", path, errno);
}

}  // namespace

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string read_file(const std::string& path, std::size_t limit) {
  const Descriptor descriptor(path, O_RDONLY);
  if (!descriptor.is_open()) fail("read", path, errno);
  std::string bytes;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor.number(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > limit)
      throw InputError("'" + path + "' is too large: at most " + std::to_string(limit) +
                       " bytes are read");
  }
}

void write_atomically(const std::string& name, std::string_view bytes) {
  const std::string path = followed(name);
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    // Renaming over a pipe or a device would replace it.
    Descriptor descriptor(path, O_WRONLY);
    if (!descriptor.is_open() || !write_all(descriptor.number(), bytes) || !descriptor.close())
      fail("write", path, errno);
    return;
  }

  // Always the same name, so that what a killed writer left behind is taken over by the next.
  const std::string temporary = path + ".attnspan.tmp";
  const Descriptor descriptor = open_alone(temporary);
  if (!descriptor.is_open()) fail("write", path, errno);
  if (::ftruncate(descriptor.number(), 0) != 0 || !write_all(descriptor.number(), bytes) ||
      (exists && ::fchmod(descriptor.number(), status.st_mode & 07777) != 0) ||
      ::fsync(descriptor.number()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail("write", path, error);
  }
  flush_folder(path);
}

}  // namespace attnspan
