#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/aligned.hpp"
#include "model/config.hpp"

namespace attnspan {

/// A trained model as it is kept on disk: safetensors, as docs/models.md describes it.
struct SavedModel {
  ModelConfig config;
  AlignedVector<float> weights;                 ///< in the order of Transformer<float>::tensors
  std::map<std::string, std::string> metadata;  ///< what else the file says of it, by name
};

/// The bytes of a model file: the same for the same model.
std::string model_bytes(const SavedModel& model);

/// Reads one. Tensors may come in any order, as other programs write them. Throws InputError that
/// begins with `origin` when the bytes are no safetensors file, or none of attnspan, are cut short
/// or too long, when a tensor is missing, unknown, of another type or shape or shares bytes with
/// another, when a weight is not a finite number, and when the weights are not those that the
/// file's checksum is of.
SavedModel read_model(std::string_view bytes, const std::string& origin);

}  // namespace attnspan
