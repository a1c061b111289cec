#pragma once

#include <cstdint>
#include <string>

namespace attnspan {

/// What a sample holds beside its length: {"pairs", 8}.
struct Quantity {
  std::string name;  ///< in results; words joined by "_"
  std::int64_t value = 0;
};

}  // namespace attnspan
