#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnspan {

/// Number of single-character insertions, deletions and substitutions that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

/// Parts of `text` between separators; empty parts are kept.
std::vector<std::string> split(std::string_view text, char separator);

/// "unknown KIND 'NAME'; did you mean 'NEAREST'?", or "unknown KIND 'NAME'." when nothing is near.
std::string unknown_text(std::string_view kind, std::string_view name,
                         const std::vector<std::string>& allowed);

/// Throws InputError: the same, and then all that is allowed.
[[noreturn]] void unknown_name(std::string_view kind, std::string_view name,
                               const std::vector<std::string>& allowed);

/// The whole of `text` as a number; throws InputError that names `what` otherwise. No NaN, no
/// infinity, no trailing characters.
double parse_number(std::string_view text, std::string_view what);

/// Same for whole numbers.
long long parse_integer(std::string_view text, std::string_view what);

/// Shortest decimal text that reads back as the same double: "1.5", "2", "0.001".
std::string shortest(double value);

}  // namespace attnspan
