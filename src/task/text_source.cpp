#include "task/text_source.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_text = std::size_t{1} << 31;

std::string read_packaged() {
  std::string bytes;
  std::FILE* const pipe = ::popen("bible -f gen1:1-rev22:21 2>/dev/null", "r");
  if (pipe == nullptr) throw FileError("cannot run the program bible");
  std::array<char, 1 << 16> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    bytes.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  if (status != 0 || bytes.empty())
    throw InputError("the text " + std::string(packaged_text) +
                     " needs the Debian package of this name (apt-get install " +
                     std::string(packaged_text) + "); or name a text of yours with file=PATH.");
  return bytes;
}

std::string read_folder(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end;
       !error && entry != end; entry.increment(error))
    if (entry->is_regular_file(error)) paths.push_back(entry->path());
  if (error) throw FileError("cannot read the folder '" + folder + "': " + error.message());
  std::sort(paths.begin(), paths.end());
  std::string bytes;
  for (const std::string& path : paths) bytes += read_file(path, largest_text);
  return bytes;
}

}  // namespace

std::string read_text(const std::string& path) {
  if (path == packaged_text) return read_packaged();
  std::error_code error;
  std::string bytes = std::filesystem::is_directory(path, error) ? read_folder(path)
                                                                 : read_file(path, largest_text);
  if (bytes.empty()) throw InputError("'" + path + "' holds no text.");
  return bytes;
}

TextParts split_text(std::string bytes) {
  const std::size_t size = bytes.size();
  return {std::move(bytes), size / 100 * 80 + size % 100 * 80 / 100,
          size / 100 * 85 + size % 100 * 85 / 100};
}

}  // namespace attnspan
