#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attnspan {

/// Keeps the order of keys, so that what is written reads in the order it was built.
using Json = nlohmann::ordered_json;

/// Bounds on outside text, far above anything attnspan writes and low enough that no text can
/// exhaust the stack or make the key search slow.
inline constexpr std::size_t json_depth_limit = 64;
inline constexpr std::size_t json_keys_limit = 256;  ///< in one object, unless said otherwise

/// Parses a whole JSON text; with `comments`, // and /* */ count as blanks. Throws InputError, one
/// sentence that begins with `origin` (a path, say) and gives line and column, on anything that is
/// not JSON (UTF-8, finite numbers) and on a repeated key, too many keys or too deep a nesting.
Json parse_json(std::string_view text, std::string_view origin, bool comments,
                std::size_t keys_limit = json_keys_limit);

/// The text of a JSON value: on one line; or with two blanks of indentation a level, where a list
/// of plain numbers keeps to one line, and a line feed at the end. Never throws on bytes that are
/// not UTF-8: they become U+FFFD.
std::string to_line(const Json& json);
std::string to_text(const Json& json);

}  // namespace attnspan
