#include "sweep/machine.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("the memory that control groups leave is the lowest limit up to the root", "[unit]") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "attnspan-control-groups";
  std::filesystem::remove_all(folder);
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder / path).parent_path());
    std::ofstream(folder / path) << text;
  };
  const auto limit = [&] {
    return control_group_memory((folder / "groups").string(), folder.string());
  };
  CHECK(std::isinf(limit()));  // no such file
  write("groups", "0::/job/step\n");
  CHECK(std::isinf(limit()));
  write("job/step/memory.max", "max\n");
  CHECK(std::isinf(limit()));
  write("job/memory.max", "3000\n");
  CHECK(limit() == 3000);
  write("memory.max", "2000\n");  // as a container shows its own
  CHECK(limit() == 2000);
  write("groups", "4:cpu,cpuacct:/job\n9:memory:/job\n0::/other\n");
  write("memory/job/memory.limit_in_bytes", "1000\n");
  CHECK(limit() == 1000);
  write("groups", "nonsense\n");
  CHECK(std::isinf(limit()));
  std::filesystem::remove_all(folder);
}
