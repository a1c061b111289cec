#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "model/config.hpp"
#include "record/row.hpp"
#include "sweep/spec.hpp"
#include "task/task.hpp"
#include "train/options.hpp"

namespace attnspan {

/// One length at which a trained cell is tested.
struct TestPoint {
  Stream stream = Stream::test;  ///< or Stream::validation
  double multiple = 0;
  std::int64_t length = 0;  ///< multiple x training length, rounded
  std::int64_t samples = 0;
};

/// One run of a sweep, everything settled: what to train, how, and where to test it.
struct Cell {
  /// Names it among the cells of its sweep: "recall/asentmax/nape/n16/lr0.003/seed0", with a part
  /// "layers=3" for each other setting of which the task has several values in this sweep.
  std::string key;
  NamedTask task;
  ModelConfig model;
  TrainingOptions training;
  std::vector<TestPoint> tests;       ///< validation, then tests, each by ascending multiple
  std::vector<std::int64_t> test_at;  ///< steps of training after which it is tested too
  bool give_up = false;               ///< leave out lengths beyond two without a right sample
  Json settings;                      ///< as training_settings
};

/// The settings of a row: those that training depends on, by their keys in a spec, but the ones
/// that a row names itself (attention, position, training length, learning rate); and the task in
/// full.
Json training_settings(const NamedTask& task, const Settings& settings);

/// A text that two cells share, in any sweeps, exactly when their training is the same. A setting
/// that a row does not have, of its own or of its task, stands at its default.
std::string identity(const Cell& cell);
std::string identity(const CellRow& row);

/// The cells of a sweep, always in the same order: for each task by training length, attention,
/// position, the other axes in the order of their keys, learning rate, seed. A cell that several
/// entries of a task name comes once, with the tests of all of them. Throws InputError, naming what
/// to change, when a cell cannot exist: a length the task does not take, a model that cannot be
/// built, more than 100,000 cells.
std::vector<Cell> expand(const SweepSpec& spec);

/// What a cell is expected to do, by the formulas of train/cost.hpp: the same on every machine.
struct CellCost {
  double training_flops = 0;
  double evaluation_flops = 0;  ///< validation and tests

  double flops() const { return training_flops + evaluation_flops; }
};
CellCost cost(const Cell& cell);

/// Peak bytes of a cell on this many threads.
double peak_bytes(const Cell& cell, int threads);

/// Throws InputError, saying what to lower, when a cell needs more than `memory` bytes. A cell
/// without steps is not trained.
void check_memory(const std::vector<Cell>& cells, int threads, double memory);

/// One part of a sweep: the index-th of count, from 1.
struct Shard {
  std::size_t index = 1;
  std::size_t count = 1;
};

/// Reads "2/8". Throws InputError.
Shard parse_shard(const std::string& text);

/// Which of the cells belong to a shard, in order. Balanced by cost: each cell, the most expensive
/// first, goes to the shard that has the least so far. Every cell is in exactly one shard.
std::vector<std::size_t> shard_cells(const std::vector<Cell>& cells, const Shard& shard);

}  // namespace attnspan
