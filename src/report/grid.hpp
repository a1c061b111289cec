#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/layout.hpp"

namespace attnspan {

/// A table of texts, the first line its head; what Markdown and LaTeX lay out.
using Grid = std::vector<std::vector<std::string>>;

/// Variants as rows, multiples as columns: "98.4 [95.1, 99.6] (98.0-100.0)", which is the mean, its
/// interval, and the lowest and highest seed where there are several.
Grid figure_grid(const Block& block);

/// The differences to the baseline, laid out alike; the head alone where there is none.
Grid difference_grid(const Block& block);

/// Caption of each.
std::string figure_caption(const Block& block);
std::string difference_caption(std::string_view baseline, const Block& block);

}  // namespace attnspan
