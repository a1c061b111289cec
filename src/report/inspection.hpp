#pragma once

#include <string>

#include "record/inspection.hpp"

namespace attnspan {

/// For a terminal of 80 columns: a line of figures for each head, and maps of signs, which need no
/// colour.
std::string inspection_text(const Inspection& inspection);

/// One HTML page that needs nothing but itself, not even a script.
std::string inspection_page(const Inspection& inspection);

}  // namespace attnspan
