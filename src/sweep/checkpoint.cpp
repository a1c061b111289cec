#include "sweep/checkpoint.hpp"

#include <unistd.h>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "sweep/journal.hpp"
#include "train/numerics.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_checkpoint = std::size_t{1} << 36;

}  // namespace

CheckpointFile::CheckpointFile(std::string path) : path_(std::move(path)) {}

void CheckpointFile::save(const Checkpoint& checkpoint) const {
  write_atomically(path_, checked_line({{"row", to_json(checkpoint.row)},
                                        {"trainer_crc32", crc32(checkpoint.trainer)}}) +
                              checkpoint.trainer);
}

std::optional<Checkpoint> CheckpointFile::load() const {
  if (::access(path_.c_str(), F_OK) != 0) return std::nullopt;
  const std::string bytes = read_file(path_, largest_checkpoint);
  try {
    const std::size_t end = bytes.find('\n');
    const Json header = read_checked_line(std::string_view(bytes).substr(0, end), path_);
    // The checksum held, so this is what `save` wrote.
    Checkpoint checkpoint{row_from_json(header.at("row"), path_), bytes.substr(end + 1)};
    if (crc32(checkpoint.trainer) != header.at("trainer_crc32") ||
        checkpoint.row.numerics != numerics())
      return std::nullopt;
    return checkpoint;
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;  // a file with a fitting checksum that `save` did not write
  }
}

void CheckpointFile::remove() const { ::unlink(path_.c_str()); }

}  // namespace attnspan
