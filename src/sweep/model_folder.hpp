#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/aligned.hpp"
#include "model/config.hpp"
#include "record/row.hpp"
#include "sweep/cell.hpp"

namespace attnspan {

/// A cell that has been trained: its row, with whatever tests are known, and the weights to be
/// tested.
struct TrainedCell {
  CellRow row;
  ModelConfig model;
  AlignedVector<float> weights;
};

/// Reads a model file of a sweep; its row has no tests and no timings. Throws FileError when it
/// cannot be read, InputError when it is none.
TrainedCell load_trained_cell(const std::string& path);

/// A folder with the models of finished cells, one file each. Sweeps may share it: a file is named
/// after the task, variant, length, rate and seed, and after a hash of all that training depends
/// on, so that it does not change as a sweep grows. (A hash that two cells share costs one of them
/// its file, and is told by the content.)
class ModelFolder {
 public:
  explicit ModelFolder(std::string path) : path_(std::move(path)) {}

  /// Makes the folder, if it is not there. Throws FileError.
  void create() const;

  std::string file_of(const Cell& cell) const;

  /// Writes the model, atomically. Throws FileError.
  void save(const Cell& cell, const CellRow& row, std::span<const float> weights) const;

  /// The model of a cell that is known to be done, with what is known of it; nothing where no file
  /// has it: neither a damaged one, nor one that other arithmetic or another training gave. Throws
  /// FileError when it is there but cannot be read.
  std::optional<TrainedCell> load(const Cell& cell, const CellRow& known) const;

 private:
  std::string path_;
};

}  // namespace attnspan
