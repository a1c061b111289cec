#include "position/linear_bias.hpp"

#include "core/error.hpp"

namespace attnspan {

ParameterSpec slopes_parameter(const std::string& default_value, const std::string& geometric) {
  return {.name = "slopes",
          .help = "of heads h = 1, 2, ...: geometric is " + geometric +
                  ", harmonic 1/h; or one number a head",
          .default_value = default_value,
          .kind = ParameterSpec::Kind::numbers,
          .minimum = 0,
          .maximum = 1000,
          .choices = {"geometric", "harmonic"}};
}

std::vector<double> linear_slopes(const std::string& owner, const Arguments& arguments,
                                  const std::vector<double>& geometric) {
  const std::string& text = arguments.text("slopes");
  if (text == "geometric") return geometric;
  std::vector<double> slopes;
  if (text == "harmonic") {
    for (std::size_t head = 1; head <= geometric.size(); ++head)
      slopes.push_back(1 / static_cast<double>(head));
    return slopes;
  }
  slopes = arguments.numbers("slopes");
  if (slopes.size() != geometric.size())
    throw InputError(owner + ": slopes lists " + std::to_string(slopes.size()) +
                     " numbers, but there are " + std::to_string(geometric.size()) +
                     " heads with a distance bias; give one number for each.");
  return slopes;
}

}  // namespace attnspan
