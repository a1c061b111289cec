#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/row.hpp"

namespace attnspan {

/// "CRC32 JSON\n": a line that tells whether it is whole.
std::string checked_line(const Json& json);

/// The JSON of such a line (without its newline); throws InputError when it is damaged.
Json read_checked_line(std::string_view line, const std::string& source);

/// The finished cells of a sweep, in a file that is only ever appended to. The first line says
/// which sweep it is of, each further line is one row; every line has a checksum and is flushed to
/// the disk before `append` returns. Holds an exclusive lock on the file while it lives.
class Journal {
 public:
  /// Opens the journal, or creates it; `fresh` empties it. `identity` is everything that the rows
  /// depend on, with the resolved spec under "spec". A torn or damaged last line, which an
  /// interrupted write leaves behind, is cut off. Throws InputError when the file is the journal of
  /// another sweep (saying in what they differ), is no journal, or is damaged before its last line;
  /// FileError when it cannot be opened or written, or another process has it.
  Journal(std::string path, const Json& identity, bool fresh);

  const std::string& path() const { return path_; }

  /// Rows found on opening and appended since, in that order. A key occurs twice where a failed
  /// cell was run again; the later row holds.
  const std::vector<CellRow>& rows() const { return rows_; }

  /// Asks the file system for the room of one more row, so that a full disk shows before a cell is
  /// computed and not after.
  void reserve();

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
  void check_header(std::string_view line, const Json& identity) const;
  void read_rows(std::string_view lines);
  void write(std::string_view line);
  [[noreturn]] void fail(const std::string& action) const;

  std::string path_;
  Descriptor file_;
  std::int64_t size_ = 0;  ///< bytes of whole lines
  std::vector<CellRow> rows_;
};

}  // namespace attnspan
