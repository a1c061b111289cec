#include "sweep/model_folder.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/names.hpp"
#include "model/model_file.hpp"
#include "record/result.hpp"
#include "train/numerics.hpp"

namespace attnspan {
namespace {

constexpr std::size_t largest_model = std::size_t{1} << 36;
constexpr std::size_t longest_name = 150;

/// For a file that any system and any shell takes.
std::string safe(std::string name) {
  name.resize(std::min(name.size(), longest_name));
  for (char& c : name)
    if (c == '/')
      c = '_';
    else if (!std::isalnum(static_cast<unsigned char>(c)) &&
             std::string_view("._=,+-").find(c) == std::string_view::npos)
      c = '-';
  return name;
}

/// The row as a model file has it: the same in every run.
Json row_of_model(CellRow row) {
  row.evaluations.clear();
  row.during.clear();
  row.train.seconds = row.train.tokens_per_second = 0;
  return to_json(row);
}

}  // namespace

TrainedCell load_trained_cell(const std::string& path) {
  const std::string origin = "'" + path + "'";
  SavedModel model = read_model(read_file(path, largest_model), origin);
  const auto cell = model.metadata.find("cell");
  if (cell == model.metadata.end())
    throw InputError(origin + " has a model, but does not say what it was trained on");
  TrainedCell trained{
      row_from_json(parse_json(cell->second, origin + ", cell", false), origin + ": cell"),
      model.config, std::move(model.weights)};
  if (trained.row.status != Status::done)
    throw InputError(origin + " has the model of a cell that is not done");
  return trained;
}

void ModelFolder::create() const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (!error && !std::filesystem::is_directory(path_, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) throw FileError("cannot keep models in '" + path_ + "': " + error.message());
}

std::string ModelFolder::file_of(const Cell& cell) const {
  const TrainingOptions& training = cell.training;
  const std::string name =
      safe(cell.task.label + "/" + cell.model.attention + "/" + cell.model.position + "/n" +
           std::to_string(training.train_length) + "/lr" + shortest(training.learning_rate) +
           "/seed" + std::to_string(training.replicate));
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx",
                static_cast<unsigned long long>(
                    name_hash(identity(cell) + " numerics" + std::to_string(numerics()))));
  return path_ + "/" + name + "-" + hash + ".safetensors";
}

void ModelFolder::save(const Cell& cell, const CellRow& row, std::span<const float> weights) const {
  create();
  write_atomically(file_of(cell), model_bytes({cell.model,
                                               {weights.begin(), weights.end()},
                                               {{"cell", to_line(row_of_model(row))}}}));
}

std::optional<TrainedCell> ModelFolder::load(const Cell& cell, const CellRow& known) const {
  const std::string file = file_of(cell);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    TrainedCell trained = load_trained_cell(file);
    CellRow row = trained.row;
    row.key = known.key;
    if (trained.model != cell.model || identity(row) != identity(cell) ||
        row_of_model(row) != row_of_model(known))
      return std::nullopt;
    trained.row = known;
    return trained;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace attnspan
