#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sweep/checkpoint.hpp"
#include "sweep/journal.hpp"

namespace attnspan {

/// Where a sweep keeps what is finished, and how far the cell that runs has come.
class Store {
 public:
  virtual ~Store() = default;

  /// Asks for the room of one more row, so that a full disk shows before a cell is computed.
  virtual void reserve() = 0;
  virtual void append(const CellRow& row) = 0;

  virtual void save(const Checkpoint& checkpoint) = 0;
  /// The last one saved; nothing when there is none that can be trusted.
  virtual std::optional<Checkpoint> load() const = 0;
  virtual void forget_checkpoint() = 0;
};

/// For a sweep that nothing is to be left of.
class MemoryStore final : public Store {
 public:
  void reserve() override {}
  void append(const CellRow&) override {}
  void save(const Checkpoint& checkpoint) override { checkpoint_ = checkpoint; }
  std::optional<Checkpoint> load() const override { return checkpoint_; }
  void forget_checkpoint() override { checkpoint_.reset(); }

 private:
  std::optional<Checkpoint> checkpoint_;
};

/// A journal and a checkpoint file. Everything throws FileError.
class FileStore final : public Store {
 public:
  FileStore(std::unique_ptr<Journal> journal, std::string checkpoint_path)
      : journal_(std::move(journal)), checkpoint_(std::move(checkpoint_path)) {}

  void reserve() override { journal_->reserve(); }
  void append(const CellRow& row) override { journal_->append(row); }
  void save(const Checkpoint& checkpoint) override { checkpoint_.save(checkpoint); }
  std::optional<Checkpoint> load() const override { return checkpoint_.load(); }
  void forget_checkpoint() override { checkpoint_.remove(); }

 private:
  std::unique_ptr<Journal> journal_;
  CheckpointFile checkpoint_;
};

}  // namespace attnspan
