#pragma once

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "support/catch.hpp"

/// The slope of `loss` along `direction` by central differences, none where the function bends too
/// sharply to tell: sparse weights have a kink where a key enters the support, and a kink inside
/// the step makes the quotients of a step and of half a step disagree.
///
/// With |direction| = 1 and a loss of order 1 to 100, step 1e-6 leaves a rounding error of 1e-16
/// 100 / 1e-6 = 1e-8 and a truncation error of 1e-12 times the third derivative; both lie well
/// below the tolerance of 1e-6 that the checks ask for.
template <class Loss>
std::optional<double> slope_along(std::span<double> variables, const std::vector<double>& direction,
                                  double tolerance, const Loss& loss) {
  constexpr double step = 1e-6;
  const std::vector<double> start(variables.begin(), variables.end());
  const auto at = [&](double distance) {
    for (std::size_t i = 0; i < start.size(); ++i)
      variables[i] = start[i] + distance * direction[i];
    return static_cast<double>(loss());
  };
  const double whole = (at(step) - at(-step)) / (2 * step);
  const double half = (at(step / 2) - at(-step / 2)) / step;
  std::copy(start.begin(), start.end(), variables.begin());
  if (!(std::abs(whole - half) <= tolerance)) return std::nullopt;
  return half;
}

/// Holds the gradient of `loss` with respect to `variables`, which loss() reads, against central
/// differences: along random directions, each tilted towards the gradient so that the slope to be
/// found is of the gradient's own size. A direction touches every variable, so an error in any of
/// them shows. An all-zero gradient fails unless `may_vanish`: nothing would be tested. Returns
/// whether there was one.
template <class Loss>
bool check_gradient(const std::string& name, std::span<double> variables,
                    std::span<const double> gradient, attnspan::Rng& rng, const Loss& loss,
                    bool may_vanish = false) {
  INFO("gradient with respect to " << name);
  REQUIRE(variables.size() == gradient.size());
  double norm = 0;
  for (const double slope : gradient) norm += slope * slope;
  norm = std::sqrt(norm);
  REQUIRE(std::isfinite(norm));
  const bool is_there = norm > 1e-6;
  if (!may_vanish) REQUIRE(is_there);

  const double tolerance = 1e-6 * (1 + norm);
  int checked = 0;
  for (int attempt = 0; attempt < 12 && checked < 2; ++attempt) {
    std::vector<double> direction(variables.size());
    double length = 0;
    for (double& part : direction) {
      part = rng.normal();
      length += part * part;
    }
    for (double& part : direction) part /= std::sqrt(length);
    double tilted = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      if (norm > 0) direction[i] += gradient[i] / norm;
      tilted += direction[i] * direction[i];
    }
    if (tilted < 1e-12) {  // of one variable there are two directions, and this was the other one
      for (std::size_t i = 0; i < direction.size(); ++i) direction[i] = gradient[i] / norm;
      tilted = 1;
    }
    double expected = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] /= std::sqrt(tilted);
      expected += gradient[i] * direction[i];
    }
    const std::optional<double> slope = slope_along(variables, direction, tolerance, loss);
    if (!slope) continue;
    CHECK(*slope == Approx(expected).epsilon(0).margin(tolerance));
    ++checked;
  }
  // One variable has one line to go along, and a kink may lie on it.
  if (variables.size() > 1) REQUIRE(checked == 2);
  return is_there;
}
