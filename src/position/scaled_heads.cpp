#include "position/scaled_heads.hpp"

#include <algorithm>

namespace attnspan {

ParameterSpec scaled_parameter(const std::string& default_value) {
  return {.name = "scaled",
          .help = "heads that a scaler scales: all, or those without a distance bias",
          .default_value = default_value,
          .kind = ParameterSpec::Kind::choice,
          .choices = {"all", "unbiased"}};
}

ScaledHeads scaled_heads(const Choice<PositionEntry>& position) {
  const auto& parameters = position.entry->parameters;
  const bool open = std::any_of(parameters.begin(), parameters.end(),
                                [](const ParameterSpec& spec) { return spec.name == "scaled"; });
  return open && position.arguments.text("scaled") == "unbiased" ? ScaledHeads::unbiased
                                                                 : ScaledHeads::all;
}

}  // namespace attnspan
