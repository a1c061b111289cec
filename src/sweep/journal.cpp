#include "sweep/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "sweep/spec.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_journal = std::size_t{1} << 32;
constexpr std::int64_t room_for_a_row = 1 << 16;
constexpr std::size_t checksum_digits = 8;

}  // namespace

std::string checked_line(const Json& json) {
  const std::string text = to_line(json);
  char checksum[checksum_digits + 1];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32(text));
  return std::string(checksum) + ' ' + text + '\n';
}

Json read_checked_line(std::string_view line, const std::string& source) {
  std::uint32_t checksum = 0;
  const char* digits_end = line.data() + std::min(line.size(), checksum_digits);
  if (line.size() <= checksum_digits || line[checksum_digits] != ' ' ||
      std::from_chars(line.data(), digits_end, checksum, 16).ptr != digits_end ||
      crc32(line.substr(checksum_digits + 1)) != checksum)
    throw InputError(source + ": its checksum does not match");
  return parse_json(line.substr(checksum_digits + 1), source, false);
}

Journal::Descriptor::Descriptor(const std::string& path)
    : number(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {}

Journal::Descriptor::~Descriptor() {
  if (number >= 0) ::close(number);
}

Journal::Journal(std::string path, const Json& identity, bool fresh)
    : path_(std::move(path)), file_(path_) {
  if (file_.number < 0) fail("open");
  lock();
  if (fresh && ::ftruncate(file_.number, 0) != 0) fail("empty");

  const std::string header = checked_line(identity);
  const std::string bytes = read_file(path_, largest_journal);
  // A first line that was not written to its end is as good as none: no cell was finished yet.
  if (bytes.size() >= header.size() || !header.starts_with(bytes)) {
    const std::size_t end = bytes.find('\n');
    check_header(std::string_view(bytes).substr(0, end), identity);
    size_ = static_cast<std::int64_t>(end) + 1;
    read_rows(std::string_view(bytes).substr(end + 1));
  }
  if (::ftruncate(file_.number, size_) != 0) fail("shorten");
  if (size_ == 0) write(header);
}

void Journal::lock() {
  if (::flock(file_.number, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail("lock");
  throw FileError("another attnspan process is at work on '" + path_ +
                  "': wait for it, or write to another file");
}

void Journal::check_header(std::string_view line, const Json& identity) const {
  Json found;
  try {
    found = read_checked_line(line, "");
  } catch (const InputError&) {
  }
  if (!found.is_object() || !found.contains("spec") || !found["spec"].is_object())
    throw InputError("'" + path_ +
                     "' is not a journal of attnspan, or its first line is damaged; use --fresh to "
                     "start over, or write to another file.");
  if (found == identity) return;
  const bool same_sweep = found["spec"] == identity["spec"];
  throw InputError("'" + path_ + "' is the journal of another " +
                   (same_sweep ? "program: " + describe_difference(found, identity)
                               : "sweep: " + describe_difference(found["spec"], identity["spec"])) +
                   "; use --fresh to start over, or write to another file.");
}

void Journal::read_rows(std::string_view lines) {
  for (std::size_t number = 2; !lines.empty(); ++number) {
    const std::string where = "'" + path_ + "', line " + std::to_string(number);
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return;  // torn
    try {
      rows_.push_back(row_from_json(read_checked_line(lines.substr(0, end), where), where));
    } catch (const InputError& error) {
      if (end + 1 == lines.size()) return;  // torn, though its newline reached the disk
      throw InputError(std::string(error.what()) +
                       "; use --fresh to start over, or cut the file before that line.");
    }
    size_ += static_cast<std::int64_t>(end) + 1;
    lines.remove_prefix(end + 1);
  }
}

void Journal::reserve() {
  // Room beyond the end of the file, which does not change its size. Not every file system can.
  if (::fallocate(file_.number, FALLOC_FL_KEEP_SIZE, size_, room_for_a_row) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    fail("write");
}

void Journal::append(const CellRow& row) {
  write(checked_line(to_json(row)));
  struct stat status {};
  if (::fstat(file_.number, &status) == 0 && status.st_nlink == 0)
    throw FileError("'" + path_ + "' was removed while it was in use");
  rows_.push_back(row);
}

void Journal::write(std::string_view line) {
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(file_.number, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // Should this fail too, the torn line is cut off when the journal is next opened.
      (void)!::ftruncate(file_.number, size_);
      errno = error;
      fail("write");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file_.number) != 0) fail("write");
  size_ += static_cast<std::int64_t>(line.size());
}

void Journal::fail(const std::string& action) const {
  throw FileError("cannot " + action + " '" + path_ +
                  "': " + std::generic_category().message(errno));
}

}  // namespace attnspan
