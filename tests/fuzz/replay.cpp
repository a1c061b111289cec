// Runs a target without a fuzzer, on the corpus and on mutations of it that are the same every
// time. Arguments: the folder of the corpus, and the number of mutations of each file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace {

std::string mutate(std::string bytes, const std::string& other, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return bound == 0 ? 0 : random() % bound; };
  for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
    const std::size_t at = below(bytes.size());
    switch (random() % 5) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.erase(at, below(16));
        break;
      case 3:
        bytes.insert(at, other, below(other.size()), below(64));
        break;
      default:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(64)));
    }
  }
  return bytes;
}

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  fuzz::require(argc == 3, "arguments: folder, mutations of each file");
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry);
  std::sort(paths.begin(), paths.end());
  fuzz::require(!paths.empty(), "there is a corpus");
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::mt19937 random(1);
  const int mutations = std::stoi(argv[2]);
  for (const std::string& bytes : corpus) {
    run(bytes);
    for (int i = 0; i < mutations; ++i)
      run(mutate(bytes, corpus[random() % corpus.size()], random));
  }
  std::printf("%zu inputs\n", corpus.size() * static_cast<std::size_t>(mutations + 1));
}
