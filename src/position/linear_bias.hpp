#pragma once

#include <string>
#include <vector>

#include "position/position.hpp"

namespace attnspan {

/// scores[j] -= slope (query - keys[j]): the bias of ALiBi (Press, Smith and Lewis 2022).
template <class Real>
inline void add_linear_bias(Real slope, Position query, const Position* keys, Index count,
                            Real* scores) {
#pragma omp simd
  for (Index j = 0; j < count; ++j) scores[j] -= slope * static_cast<Real>(query - keys[j]);
}

/// Which slopes an encoding has by itself, and what `geometric` says in words, e.g. "2^(-8h/H)".
ParameterSpec slopes_parameter(const std::string& default_value, const std::string& geometric);

/// The slopes of heads h = 1, 2, ... as the parameter says: 1/h (harmonic), those given (geometric)
/// or a list. Throws InputError, naming `owner`, unless a list has one for every head.
std::vector<double> linear_slopes(const std::string& owner, const Arguments& arguments,
                                  const std::vector<double>& geometric);

/// Whether a scaler scales the heads that have a bias, too.
ParameterSpec scaled_parameter(const std::string& default_value);
inline bool scales_biased(const Arguments& arguments) { return arguments.text("scaled") == "all"; }

}  // namespace attnspan
