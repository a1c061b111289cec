#include "cli/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <system_error>

#include "core/error.hpp"
#include "core/files.hpp"

namespace attnspan {
namespace {

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80                      ? 1
                             : byte(0) >= 0xc2 && byte(0) < 0xe0 ? 2
                             : (byte(0) & 0xf0) == 0xe0          ? 3
                             : byte(0) >= 0xf0 && byte(0) < 0xf5 ? 4
                                                                 : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return length;
}

/// What may come from outside must not steer the terminal.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const bool fine = length > 1 || (length == 1 && text[0] >= ' ' && text[0] != '\x7f');
    out += fine ? text.substr(0, length) : "?";
    text.remove_prefix(fine ? length : 1);
  }
  return out;
}

std::string two_digits(long long value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

void print(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text))
    throw FileError("cannot write to standard output: " + std::generic_category().message(errno));
}

void write_context(std::string_view text) { write_all(STDERR_FILENO, text); }

void warn(std::string_view sentence) {
  std::string line = "attnspan: " + printable(sentence);
  if (line.back() != '.' && line.back() != '?' && line.back() != ')') line += '.';
  write_context(line + '\n');
}

std::string describe_seconds(double seconds) {
  if (!(seconds < 1e9)) return "more than 30 years";
  const long long whole = std::llround(std::max(0.0, seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + two_digits(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + two_digits(whole / 60 % 60) + " min";
}

std::string describe_bytes(double bytes) {
  const double mebibytes = bytes / (1 << 20);
  char text[64];
  if (mebibytes < 1000)
    std::snprintf(text, sizeof text, "%.0f MiB", std::ceil(mebibytes));
  else
    std::snprintf(text, sizeof text, "%.1f GiB", mebibytes / 1024);
  return text;
}

std::string describe_cells(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " cell" : " cells");
}

std::string describe_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (std::ptrdiff_t place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

}  // namespace attnspan
