#pragma once

#include <optional>
#include <string>

#include "record/row.hpp"

namespace attnspan {

/// How far a cell has come: enough to go on from there as though nothing had happened.
struct Checkpoint {
  CellRow row;          ///< its key, the time spent, and the evaluations that are done
  std::string trainer;  ///< Trainer::save
};

/// The file that keeps the checkpoint of the cell that is being run.
class CheckpointFile {
 public:
  /// `identity` as for Journal.
  CheckpointFile(std::string path, Json identity);

  /// Replaces the file, atomically and with checksums. Throws FileError.
  void save(const Checkpoint& checkpoint) const;

  /// The checkpoint of this cell; nothing when there is none, or it is damaged or of another sweep:
  /// the cell then starts from its beginning.
  std::optional<Checkpoint> load(const std::string& key) const;

  void remove() const;

 private:
  std::string path_;
  Json identity_;
};

}  // namespace attnspan
