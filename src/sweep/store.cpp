#include "sweep/store.hpp"

#include <cstdio>
#include <filesystem>

#include "core/checksum.hpp"

namespace attnspan {

void MemoryStore::save(const Checkpoint& checkpoint) {
  const std::lock_guard lock(mutex_);
  checkpoints_[identity(checkpoint.row)] = checkpoint;
}

std::optional<Checkpoint> MemoryStore::load(const Cell& cell) const {
  const std::lock_guard lock(mutex_);
  const auto found = checkpoints_.find(identity(cell));
  return found == checkpoints_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryStore::forget(const Cell& cell) {
  const std::lock_guard lock(mutex_);
  checkpoints_.erase(identity(cell));
}

void MemoryStore::forget_all() {
  const std::lock_guard lock(mutex_);
  checkpoints_.clear();
}

CheckpointFile FileStore::file_of(const std::string& identity) const {
  char number[24];
  std::snprintf(number, sizeof number, "-%016llx",
                static_cast<unsigned long long>(name_hash(identity)));
  return CheckpointFile(checkpoint_path_ + number);
}

void FileStore::save(const Checkpoint& checkpoint) {
  file_of(identity(checkpoint.row)).save(checkpoint);
}

std::optional<Checkpoint> FileStore::load(const Cell& cell) const {
  return file_of(identity(cell)).load();
}

void FileStore::forget(const Cell& cell) { file_of(identity(cell)).remove(); }

void FileStore::forget_all() {
  const std::filesystem::path path(checkpoint_path_);
  const std::string begin = path.filename().string() + '-';
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().filename().string().starts_with(begin))
      CheckpointFile(entry.path().string()).remove();
}

}  // namespace attnspan
