#include "position/randomized.hpp"

namespace attnspan {

ParameterSpec randomized_parameter() {
  return {.name = "randomized",
          .help =
              "each sequence draws its positions, in order, from so many, at least its tokens; "
              "0: 0, 1, 2, ... (Ruoss et al. 2023, arXiv 2305.16843)",
          .default_value = "0",
          .kind = ParameterSpec::Kind::integer,
          .minimum = 0,
          .maximum = 1 << 30};
}

Position randomized_reach(const Choice<PositionEntry>& position) {
  return position.arguments.has("randomized")
             ? static_cast<Position>(position.arguments.integer("randomized"))
             : 0;
}

}  // namespace attnspan
