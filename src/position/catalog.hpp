#pragma once

#include <string>
#include <vector>

namespace attnspan {

/// Names of every position encoding that has a file in src/position/encodings/, with one line each.
struct PositionLine {
  std::string name;
  std::string summary;
};
std::vector<PositionLine> position_names();

/// Throws InputError when there is no such encoding.
void check_position(const std::string& name);

}  // namespace attnspan
