#pragma once

#include <string>
#include <vector>

#include "ops/engine.hpp"
#include "position/position.hpp"

namespace attnspan {

/// scores[j] -= slope (query - keys[j]): the bias of ALiBi (Press, Smith and Lewis 2022).
template <class Real>
inline void add_linear_bias(Real slope, const BiasRow<Real>& row, Real* scores) {
  kernels<Real>().linear_bias(slope, row.query, row.keys, row.count, scores);
}

/// No bias of the row's last key or one before it is above this.
template <class Real>
inline Real linear_bias_bound(Real slope, const BiasRow<Real>& row) {
  return -slope * static_cast<Real>(row.query - row.keys[row.count - 1]);
}

/// Which slopes an encoding has by itself, and what `geometric` says in words, e.g. "2^(-8h/H)".
ParameterSpec slopes_parameter(const std::string& default_value, const std::string& geometric);

/// The slopes of heads h = 1, 2, ... as the parameter says: 1/h (harmonic), those given (geometric)
/// or a list. Throws InputError, naming `owner`, unless a list has one for every head.
std::vector<double> linear_slopes(const std::string& owner, const Arguments& arguments,
                                  const std::vector<double>& geometric);

}  // namespace attnspan
