#include "core/files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, gone afterwards.
struct TemporaryFolder {
  fs::path path;
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "attnspan-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  auto files() const { return std::distance(fs::directory_iterator(path), {}); }
};

std::string complaint(const std::string& path) {
  try {
    write_atomically(path, "new");
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A file is replaced whole and nothing is left beside it", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder / "results.json";
  const std::string bytes("two\nlines\0and a zero", 20);
  write_atomically(path, "old");
  write_atomically(path, bytes);
  CHECK(read_file(path, 1000) == bytes);
  CHECK(folder.files() == 1);
}

TEST_CASE("A file that is replaced keeps its mode, and a link to it leads to the new one",
          "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder / "results.json", link = folder / "link.json";
  write_atomically(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("results.json", link);
  write_atomically(link, "new");
  CHECK(read_file(path, 1000) == "new");
  CHECK(fs::is_symlink(link));
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(folder.files() == 2);
}

TEST_CASE("What a killed writer left behind is taken over by the next", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder / "results.json";
  {
    std::ofstream left_behind(path + ".attnspan.tmp");
    left_behind << "longer than what is written next";
  }
  write_atomically(path, "new");
  CHECK(read_file(path, 1000) == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("Of several writers at once one wins whole", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder / "results.json";
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c', 'd'})
    writers.emplace_back([&path, letter] {
      for (int i = 0; i < 50; ++i) write_atomically(path, std::string(100000, letter));
    });
  for (std::thread& writer : writers) writer.join();
  const std::string bytes = read_file(path, 1000000);
  CHECK(bytes == std::string(100000, bytes[0]));
  CHECK(folder.files() == 1);
}

TEST_CASE("A file that cannot be written keeps its old content", "[unit]") {
  const TemporaryFolder folder;
  CHECK(complaint(folder / "missing/results.json").find("No such file or directory") !=
        std::string::npos);
  CHECK(complaint(folder.path.string()).find("Is a directory") != std::string::npos);
  CHECK(complaint("/dev/full") == "cannot write '/dev/full': No space left on device");
  CHECK(folder.files() == 0);
}

TEST_CASE("A device is written to, not replaced", "[unit]") {
  CHECK(complaint("/dev/null") == "");
  struct stat status {};
  REQUIRE(::stat("/dev/null", &status) == 0);
  CHECK(S_ISCHR(status.st_mode));
}

TEST_CASE("Files are read up to a limit", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder / "bytes";
  write_atomically(path, "12345");
  CHECK(read_file(path, 5) == "12345");
  CHECK_THROWS_AS(read_file(path, 4), InputError);
  CHECK_THROWS_AS(read_file("/dev/zero", 1 << 20), InputError);
  CHECK_THROWS_AS(read_file(folder / "missing", 5), FileError);
  CHECK_THROWS_AS(read_file(folder.path.string(), 5), FileError);
}
