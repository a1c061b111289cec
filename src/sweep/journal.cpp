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

namespace attnspan {
namespace {

constexpr std::size_t largest_journal = std::size_t{1} << 32;
constexpr std::int64_t room_for_a_row = 1 << 16;
constexpr std::size_t checksum_digits = 8;

[[noreturn]] void refuse_as_no_journal(const std::string& path) {
  throw InputError("'" + path +
                   "' is not a journal of attnspan, or its first line is damaged; use --fresh to "
                   "start over, or write to another file.");
}

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

JournalContent read_journal(const std::string& path) {
  const std::string text = read_file(path, largest_journal);
  const std::string_view bytes = text;
  JournalContent content;
  const std::size_t header_end = bytes.find('\n');
  if (header_end == std::string_view::npos) {
    content.unfinished_header = bytes;
    return content;
  }
  try {
    content.header = read_checked_line(bytes.substr(0, header_end), "");
  } catch (const InputError&) {
  }
  const Json& header = content.header;
  if (!header.is_object() || !header.contains("spec") || !header["spec"].is_object())
    refuse_as_no_journal(path);
  content.whole_size = header_end + 1;
  for (std::size_t number = 2; content.whole_size < bytes.size(); ++number) {
    const std::string where = "'" + path + "', line " + std::to_string(number);
    const std::string_view rest = bytes.substr(content.whole_size);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // torn
    try {
      content.rows.push_back(row_from_json(read_checked_line(rest.substr(0, end), where), where));
    } catch (const InputError& error) {
      if (end + 1 == rest.size()) break;  // torn, though its newline reached the disk
      throw InputError(std::string(error.what()) +
                       "; use --fresh to start over, or cut the file before that line.");
    }
    content.whole_size += end + 1;
  }
  return content;
}

Journal::Descriptor::Descriptor(const std::string& path)
    : number(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {}

Journal::Descriptor::~Descriptor() {
  if (number >= 0) ::close(number);
}

Journal::Journal(std::string path, bool fresh) : path_(std::move(path)), file_(path_) {
  if (file_.number < 0) fail("open");
  lock();
  if (fresh) return;
  content_ = read_journal(path_);
  if (!content_.header.is_null()) cut(content_.whole_size);
}

void Journal::lock() {
  if (::flock(file_.number, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail("lock");
  throw FileError("another attnspan process is at work on '" + path_ +
                  "': wait for it, or write to another file");
}

void Journal::begin(const Json& header, const std::vector<CellRow>& rows) {
  std::string lines = checked_line(header);
  // A first line that was not written to its end is as good as none: no cell was finished yet.
  if (!lines.starts_with(content_.unfinished_header)) refuse_as_no_journal(path_);
  for (const CellRow& row : rows) lines += checked_line(to_json(row));
  cut(0);
  content_ = {header, rows, 0, ""};
  write(lines);
}

void Journal::reserve(std::size_t rows) {
  // Room beyond the end of the file, which does not change its size. Not every file system can.
  if (::fallocate(file_.number, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(content_.whole_size),
                  static_cast<off_t>(rows) * room_for_a_row) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    fail("write");
}

void Journal::append(const CellRow& row) {
  write(checked_line(to_json(row)));
  struct stat status {};
  if (::fstat(file_.number, &status) == 0 && status.st_nlink == 0)
    throw FileError("'" + path_ + "' was removed while it was in use");
  content_.rows.push_back(row);
}

void Journal::write(std::string_view lines) {
  if (!write_all(file_.number, lines)) {
    const int error = errno;
    // Should this fail too, the torn line is cut off when the journal is next opened.
    (void)!::ftruncate(file_.number, static_cast<off_t>(content_.whole_size));
    errno = error;
    fail("write");
  }
  if (::fsync(file_.number) != 0) fail("write");
  content_.whole_size += lines.size();
}

void Journal::cut(std::size_t size) {
  if (::ftruncate(file_.number, static_cast<off_t>(size)) != 0) fail("shorten");
}

void Journal::fail(const std::string& action) const {
  throw FileError("cannot " + action + " '" + path_ +
                  "': " + std::generic_category().message(errno));
}

}  // namespace attnspan
