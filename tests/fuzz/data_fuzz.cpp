// The files of a person's own data. The first byte says how targets are read; the rest, at each
// NUL, is cut into train, validation and test: a .src and a .trg each, or, where the latter is
// missing, a .jsonl.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/names.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/scratch_file.hpp"
#include "task/file_task.hpp"

using namespace attnspan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::ScratchFile scratch;
  const std::string folder = scratch.path() + "-data";
  if (size == 0) return 0;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  std::vector<std::string> parts = split(fuzz::text(data + 1, size - 1), '\0');
  parts.resize(6);
  const char* const names[] = {"/train", "/validation_0_4", "/test_0_4"};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string &source = parts[2 * i], &target = parts[2 * i + 1];
    const std::string path = folder + names[i];
    std::ofstream(path + (target.empty() ? ".jsonl" : ".src"), std::ios::binary) << source;
    if (!target.empty()) std::ofstream(path + ".trg", std::ios::binary) << target;
  }
  fuzz::allow_refusal([&] {
    const NamedTask named = make_file_task("file:" + folder + (data[0] % 2 ? ",targets=each" : ""));
    for (const Stream stream : {Stream::validation, Stream::test})
      for (const StoredSamples& stored : named.task->stored(stream))
        for (std::int64_t i = 0; i < stored.count; ++i) {
          const Sample sample = named.task->stored_sample(stream, stored.length, i);
          std::int32_t before = 0;
          for (const std::int32_t place : sample.answers) {
            fuzz::require(place > before, "answers are increasing positions after the first");
            before = place;
          }
          const auto last = static_cast<std::size_t>(before);
          fuzz::require(last > 0 && last < sample.tokens.size() + (sample.targets.empty() ? 0 : 1),
                        "answers are among the tokens");
          for (std::size_t k = 0; k < sample.answers.size(); ++k)
            fuzz::require(sample.target(k) >= 0 && sample.target(k) < named.task->vocabulary_size(),
                          "targets are tokens");
        }
  });
  std::filesystem::remove_all(folder);
  return 0;
}
