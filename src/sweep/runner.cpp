#include "sweep/runner.hpp"

#include <new>
#include <set>

#include "core/error.hpp"

namespace attnspan {

Runner::Runner(std::vector<Cell> cells, const std::vector<std::size_t>& mine, Journal* journal,
               const CheckpointFile* checkpoints)
    : cells_(std::move(cells)), journal_(journal), checkpoints_(checkpoints) {
  if (journal_) {
    std::set<std::string> keys;
    for (const Cell& cell : cells_) keys.insert(cell.key);
    for (const CellRow& row : journal_->rows()) {
      if (!keys.contains(row.key))
        throw InputError("'" + journal_->path() + "' has a row for " + row.key +
                         ", which is no cell of this sweep.");
      rows_.insert_or_assign(row.key, row);
    }
  }
  for (const std::size_t index : mine) {
    const auto row = rows_.find(cells_[index].key);
    if (row == rows_.end() || row->second.status == Status::failed)
      pending_.push_back(cells_[index]);
  }
}

bool Runner::run(const RunOptions& options, const Events& events) {
  for (std::size_t index = 0; index < pending_.size(); ++index) {
    if (options.stop && *options.stop) return false;
    const Cell& cell = pending_[index];
    if (journal_) journal_->reserve();
    RunOptions own = options;
    if (events.on_progress)
      own.on_progress = [&](const CellProgress& progress) { events.on_progress(index, progress); };
    CellRow row;
    try {
      std::optional<CellRow> finished = run_cell(cell, checkpoints_, own);
      if (!finished) return false;
      row = std::move(*finished);
    } catch (const FileError&) {
      throw;
    } catch (const std::bad_alloc&) {
      row = empty_row(cell);
      row.status = Status::failed;
      row.message = "out of memory";
    } catch (const std::exception& error) {
      row = empty_row(cell);
      row.status = Status::failed;
      row.message = error.what();
    }
    rows_.insert_or_assign(row.key, row);
    if (journal_) {
      unkept_ = true;
      journal_->append(row);
      unkept_ = false;
    }
    if (checkpoints_) checkpoints_->remove();
    if (events.on_row) events.on_row();
  }
  return true;
}

std::vector<CellRow> Runner::rows() const {
  std::vector<CellRow> ordered;
  for (const Cell& cell : cells_)
    if (const auto row = rows_.find(cell.key); row != rows_.end()) ordered.push_back(row->second);
  return ordered;
}

}  // namespace attnspan
