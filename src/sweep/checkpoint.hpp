#pragma once

#include <optional>
#include <string>

#include "record/row.hpp"

namespace attnspan {

/// How far a cell has come: enough to go on from there as though nothing had happened.
struct Checkpoint {
  CellRow row;          ///< its settings, the time spent, and the tests that are done
  std::string trainer;  ///< Trainer::save
};

/// The file that keeps the checkpoint of the cell that is being run.
class CheckpointFile {
 public:
  explicit CheckpointFile(std::string path);

  /// Replaces the file, atomically and with checksums. Throws FileError.
  void save(const Checkpoint& checkpoint) const;

  /// The checkpoint that is there; nothing when there is none, or it is damaged or of another
  /// program: its cell then starts from its beginning.
  std::optional<Checkpoint> load() const;

  void remove() const;

 private:
  std::string path_;
};

}  // namespace attnspan
