#include "task/training_share.hpp"

namespace attnspan {

ParameterSpec training_share_parameter(const std::string& name, const std::string& are) {
  return {.name = name,
          .help = "share of the training samples " + are,
          .default_value = "0",
          .kind = ParameterSpec::Kind::number,
          .minimum = 0,
          .maximum = 1};
}

bool is_of_share(Rng& rng, double share, Purpose purpose) {
  return purpose == Purpose::training && share > 0 && rng.uniform() < share;
}

}  // namespace attnspan
