#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace attnspan {

/// The bytes of a file. Throws FileError with the path and the system's reason when it cannot be
/// read, InputError when it holds more than `limit` bytes.
std::string read_file(const std::string& path, std::size_t limit);

/// Writes all the bytes to an open file, however often the system takes fewer or is interrupted;
/// false with `errno` when it refuses.
bool write_all(int descriptor, std::string_view bytes);

/// Puts `bytes` in place of the file at `path`: whoever looks, now or after a crash, sees either
/// the old content whole or the new. A temporary file beside it is written, flushed to the disk and
/// renamed, and removed on failure. What is not a regular file (a pipe, /dev/null) is written to as
/// it is; a link stays, and what it leads to is replaced. A file that was there keeps its mode.
/// Throws FileError with the path and the system's reason; the old file is then untouched, but
/// where only flushing the folder failed.
void write_atomically(const std::string& path, std::string_view bytes);

}  // namespace attnspan
