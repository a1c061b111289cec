#pragma once

#include <string>

#include "catalog/arguments.hpp"
#include "core/rng.hpp"
#include "task/task.hpp"

namespace attnspan {

/// A parameter that says which share of the training samples `are` so: 0 unless asked for.
ParameterSpec training_share_parameter(const std::string& name, const std::string& are);

/// Whether this sample belongs to such a share. Draws nothing in evaluation, and for a share of 0.
bool is_of_share(Rng& rng, double share, Purpose purpose);

}  // namespace attnspan
