#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attnspan {

/// Numbers as they are written on a command line: "1,4,16", "first-last*factor" (16-1024*4) and
/// "first-last+step" (1-5+1), also mixed; the last value of a range is included when it is met.
/// Throws InputError, naming `what`, on anything else and on more than 1000 values.
std::vector<double> parse_numbers(std::string_view text, std::string_view what);

/// Seconds of a time as people write it: "90", "45s", "90m", "1h30m", "2d". Throws InputError,
/// naming `what`, on anything else and on no time at all.
double parse_duration(std::string_view text, std::string_view what);

}  // namespace attnspan
