#pragma once

#include <string>
#include <vector>

#include "record/json.hpp"

namespace attnspan {

/// One place in which two JSON values differ; null stands for what is not there.
struct Difference {
  std::string path;  ///< "evaluations[2].counts.exact"
  Json one, other;
};

/// Every such place, in order; objects are compared key by key, arrays of one size item by item.
std::vector<Difference> differences(const Json& one, const Json& other);

}  // namespace attnspan
