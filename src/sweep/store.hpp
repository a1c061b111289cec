#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "sweep/cell.hpp"
#include "sweep/checkpoint.hpp"
#include "sweep/journal.hpp"

namespace attnspan {

/// Where a sweep keeps what is finished, and how far the cells that run have come. Rows come from
/// one thread at a time, checkpoints from the threads of their cells.
class Store {
 public:
  virtual ~Store() = default;

  /// Asks for the room of so many more rows, so that a full disk shows before a cell is computed.
  virtual void reserve(std::size_t rows) = 0;
  virtual void append(const CellRow& row) = 0;

  virtual void save(const Checkpoint& checkpoint) = 0;
  /// The cell's last one; nothing when there is none that can be trusted.
  virtual std::optional<Checkpoint> load(const Cell& cell) const = 0;
  virtual void forget(const Cell& cell) = 0;
  /// Those of cells that are not being run, too.
  virtual void forget_all() = 0;
};

/// For a sweep that nothing is to be left of.
class MemoryStore final : public Store {
 public:
  void reserve(std::size_t) override {}
  void append(const CellRow&) override {}
  void save(const Checkpoint& checkpoint) override;
  std::optional<Checkpoint> load(const Cell& cell) const override;
  void forget(const Cell& cell) override;
  void forget_all() override;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Checkpoint> checkpoints_;  ///< by identity
};

/// A journal, and a checkpoint file for each cell that runs, named by what identifies the cell.
/// Everything throws FileError.
class FileStore final : public Store {
 public:
  /// Checkpoints lie at `checkpoint_path` and a number.
  FileStore(std::unique_ptr<Journal> journal, std::string checkpoint_path)
      : journal_(std::move(journal)), checkpoint_path_(std::move(checkpoint_path)) {}

  void reserve(std::size_t rows) override { journal_->reserve(rows); }
  void append(const CellRow& row) override { journal_->append(row); }
  void save(const Checkpoint& checkpoint) override;
  std::optional<Checkpoint> load(const Cell& cell) const override;
  void forget(const Cell& cell) override;
  void forget_all() override;

 private:
  CheckpointFile file_of(const std::string& identity) const;

  std::unique_ptr<Journal> journal_;
  std::string checkpoint_path_;
};

}  // namespace attnspan
