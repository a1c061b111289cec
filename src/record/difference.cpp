#include "record/difference.hpp"

namespace attnspan {
namespace {

void collect(const Json& one, const Json& other, const std::string& path,
             std::vector<Difference>& found) {
  if (one == other) return;
  if (one.is_object() && other.is_object()) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [name, value] : one.items())
      collect(value, other.value(name, Json()), prefix + name, found);
    for (const auto& [name, value] : other.items())
      if (!one.contains(name)) collect(Json(), value, prefix + name, found);
  } else if (one.is_array() && other.is_array() && one.size() == other.size()) {
    for (std::size_t i = 0; i < one.size(); ++i)
      collect(one[i], other[i], path + "[" + std::to_string(i) + "]", found);
  } else {
    found.push_back({path, one, other});
  }
}

}  // namespace

std::vector<Difference> differences(const Json& one, const Json& other) {
  std::vector<Difference> found;
  collect(one, other, "", found);
  return found;
}

}  // namespace attnspan
