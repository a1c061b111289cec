#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "record/row.hpp"

namespace attnspan {

/// "CRC32 JSON\n": a line that tells whether it is whole.
std::string checked_line(const Json& json);

/// The JSON of such a line (without its newline); throws InputError when it is damaged.
Json read_checked_line(std::string_view line, const std::string& source);

/// What stands in a journal.
struct JournalContent {
  Json header;                    ///< null where the first line is not whole
  std::vector<CellRow> rows;      ///< in order; of a key that occurs twice the later row holds
  std::size_t whole_size = 0;     ///< bytes of whole lines; what follows was cut short in writing
  std::string unfinished_header;  ///< where not even the first line is whole
};

/// Reads a journal. Throws InputError when the file is none or is damaged before its last line;
/// FileError.
JournalContent read_journal(const std::string& path);

/// The finished cells of a sweep, in a file that is only ever appended to. The first line says
/// which sweep it is of, each further line is one row; every line has a checksum and is flushed to
/// the disk before `append` returns. Holds an exclusive lock on the file while it lives.
class Journal {
 public:
  /// Opens the journal, or creates it, and reads what is there; `fresh` overlooks that. Throws
  /// InputError as read_journal does; FileError when it cannot be opened, or another process has
  /// it.
  Journal(std::string path, bool fresh);

  const std::string& path() const { return path_; }

  /// The first line; null in a new journal.
  const Json& header() const { return content_.header; }

  /// Rows found on opening and added since, in that order.
  const std::vector<CellRow>& rows() const { return content_.rows; }

  /// Starts anew with these rows. Whoever may be cut short here needs them elsewhere.
  void begin(const Json& header, const std::vector<CellRow>& rows);

  /// Asks the file system for the room of so many more rows, so that a full disk shows before a
  /// cell is computed and not after.
  void reserve(std::size_t rows);

  /// Adds one row. On FileError the file, if it is still there, is as it was before.
  void append(const CellRow& row);

 private:
  /// An open file; closing it also lets go of the lock.
  struct Descriptor {
    explicit Descriptor(const std::string& path);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number;
  };

  void lock();
  void write(std::string_view lines);
  void cut(std::size_t size);
  [[noreturn]] void fail(const std::string& action) const;

  std::string path_;
  Descriptor file_;
  JournalContent content_;
};

}  // namespace attnspan
