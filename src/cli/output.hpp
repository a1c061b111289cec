#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace attnspan {

/// Writes to stdout, at once and whole. Throws FileError when it is closed or full.
void print(std::string_view text);

/// Writes to stderr, where nothing depends on it.
void write_context(std::string_view text);

/// Writes one sentence to stderr, as "attnspan: ...". Control characters and what is not UTF-8,
/// which may come from outside, are replaced.
void warn(std::string_view sentence);

/// "5 s", "2 min 05 s", "3 h 20 min".
std::string describe_seconds(double seconds);

/// "812 MiB", "3.4 GiB".
std::string describe_bytes(double bytes);

/// "1 cell", "12 cells".
std::string describe_cells(std::size_t count);

/// "1,234,567".
std::string describe_count(std::int64_t count);

}  // namespace attnspan
