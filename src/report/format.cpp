#include "report/format.hpp"

#include <vector>

#include "core/names.hpp"

namespace attnspan {

const FormatEntry& find_format(std::string_view name) {
  std::vector<std::string> names;
  for (const FormatEntry& format : format_catalog()) {
    if (format.name == name) return format;
    names.push_back(format.name);
  }
  unknown_name("format", name, names);
}

const FormatEntry* format_of_file(std::string_view path) {
  for (const FormatEntry& format : format_catalog())
    if (path.ends_with("." + format.extension)) return &format;
  return nullptr;
}

}  // namespace attnspan
