#pragma once

#include <string>

#include "task/task.hpp"

namespace attnspan {

/// A sample's tokens by name; what has to be answered stands in brackets, a label right behind the
/// token that it belongs to.
std::string sample_text(const Task& task, const Sample& sample);

}  // namespace attnspan
