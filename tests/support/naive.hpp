#pragma once

#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// Attention straight from its formulas, in double, one number at a time: the oracle that the
/// engine is held against. It shares no code with the engine and knows the variants by name.
namespace naive {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

constexpr double nothing = -std::numeric_limits<double>::infinity();

inline Row softmax(const Row& z) {
  double largest = nothing;
  for (const double score : z) largest = std::max(largest, score);
  double sum = 0;
  for (const double score : z) sum += std::exp(score - largest);
  Row p;
  for (const double score : z) p.push_back(std::exp(score - largest) / sum);
  return p;
}

/// p = [(alpha-1) z - tau]_+^(1/(alpha-1)), tau by bisection of sum p = 1 in long double.
inline Row entmax(double alpha, const Row& z) {
  using Long = long double;
  const Long slope = static_cast<Long>(alpha) - 1;
  Long largest = -std::numeric_limits<Long>::infinity();
  for (const double score : z) largest = std::max(largest, slope * static_cast<Long>(score));
  const auto weight = [&](double score, Long tau) -> Long {
    const Long excess = slope * static_cast<Long>(score) - tau;
    return excess > 0 ? std::pow(excess, 1 / slope) : 0;
  };
  Long low = largest - 1, high = largest;
  for (int halving = 0; halving < 100; ++halving) {
    const Long tau = (low + high) / 2;
    Long sum = 0;
    for (const double score : z) sum += weight(score, tau);
    (sum >= 1 ? low : high) = tau;
  }
  Row p;
  for (const double score : z) p.push_back(static_cast<double>(weight(score, low)));
  return p;
}

/// sparsemax: the point of the probability simplex nearest to z, by sorting (Held, Wolfe and
/// Crowder 1974).
inline Row simplex_projection(const Row& z) {
  Row sorted = z;
  std::sort(sorted.rbegin(), sorted.rend());
  double sum = 0, threshold = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sum += sorted[k];
    const double candidate = (sum - 1) / static_cast<double>(k + 1);
    if (sorted[k] > candidate) threshold = candidate;
  }
  Row p;
  for (const double score : z) p.push_back(std::max(0.0, score - threshold));
  return p;
}

/// "softmax" or "entmax:1.3".
inline Row normalize(const std::string& name, const Row& z) {
  if (name == "softmax") return softmax(z);
  if (name.rfind("entmax:", 0) == 0) return entmax(std::stod(name.substr(7)), z);
  throw std::invalid_argument("no oracle for normalizer " + name);
}

/// Learned numbers by tensor name.
using Parameters = std::map<std::string, Row>;

/// s of row i and scaled head h; `heads` is the number of scaled heads.
inline double scale(const std::string& name, const Parameters& parameters, const Row& x,
                    std::size_t i, std::size_t h, std::size_t heads) {
  const double length = std::log(static_cast<double>(i + 2));
  if (name == "none") return 1;
  if (name == "log") return parameters.at("scaler.scale")[h] * length;
  if (name == "adaptive") {
    double b = parameters.at("scaler.scale_bias")[h], g = parameters.at("scaler.exponent_bias")[h];
    const Row& w = parameters.at("scaler.weights");  // d_model x 2 heads
    for (std::size_t j = 0; j < x.size(); ++j) {
      b += x[j] * w[j * 2 * heads + h];
      g += x[j] * w[j * 2 * heads + heads + h];
    }
    return 1 + std::log(1 + std::exp(b)) * std::pow(length, 2 * std::tanh(g));
  }
  throw std::invalid_argument("no oracle for scaler " + name);
}

/// Slope of the linear bias of head h of H, 0 where there is none.
inline double slope(const std::string& position, std::size_t h, std::size_t heads) {
  if (position == "alibi")
    return std::pow(2.0, -8.0 * static_cast<double>(h + 1) / static_cast<double>(heads));
  if (position == "nape" && h < heads / 2) return 1.0 / static_cast<double>(h + 1);
  return 0;
}

inline bool scaled(const std::string& position, std::size_t h, std::size_t heads) {
  return position != "nape" || h >= heads / 2;
}

/// One head's part of a query or key, turned as at this place.
inline Row turned(const std::string& position, const Row& vector, std::size_t place) {
  if (position != "rope") return vector;
  Row result = vector;
  const std::size_t half = vector.size() / 2;
  for (std::size_t p = 0; p < half; ++p) {
    const double angle =
        static_cast<double>(place) *
        std::pow(10000.0, -2.0 * static_cast<double>(p) / static_cast<double>(vector.size()));
    result[p] = vector[p] * std::cos(angle) - vector[p + half] * std::sin(angle);
    result[p + half] = vector[p] * std::sin(angle) + vector[p + half] * std::cos(angle);
  }
  return result;
}

/// Attention of every row of one sequence; x, q, k, v: tokens x (heads d_head), q and k not turned.
inline Matrix attention(const std::string& normalizer, const std::string& scaler,
                        const std::string& position, std::size_t heads,
                        const Parameters& parameters, const Matrix& x, const Matrix& q,
                        const Matrix& k, const Matrix& v) {
  const std::size_t d = q[0].size() / heads;
  std::size_t scaled_heads = 0;
  for (std::size_t h = 0; h < heads; ++h) scaled_heads += scaled(position, h, heads) ? 1 : 0;
  const auto part = [&](const Matrix& m, std::size_t i, std::size_t h) {
    return Row(m[i].begin() + static_cast<std::ptrdiff_t>(h * d),
               m[i].begin() + static_cast<std::ptrdiff_t>((h + 1) * d));
  };
  Matrix output(q.size(), Row(heads * d, 0.0));
  for (std::size_t h = 0, scaled_index = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < q.size(); ++i) {
      const Row query = turned(position, part(q, i, h), i);
      const double s = scaled(position, h, heads)
                           ? scale(scaler, parameters, x[i], i, scaled_index, scaled_heads)
                           : 1;
      Row z;
      for (std::size_t j = 0; j <= i; ++j) {
        const Row key = turned(position, part(k, j, h), j);
        double product = 0;
        for (std::size_t c = 0; c < d; ++c) product += s * query[c] * key[c];
        z.push_back(product / std::sqrt(static_cast<double>(d)) -
                    slope(position, h, heads) * static_cast<double>(i - j));
      }
      const Row p = normalize(normalizer, z);
      for (std::size_t j = 0; j <= i; ++j)
        for (std::size_t c = 0; c < d; ++c) output[i][h * d + c] += p[j] * v[j][h * d + c];
    }
    scaled_index += scaled(position, h, heads) ? 1 : 0;
  }
  return output;
}

}  // namespace naive
