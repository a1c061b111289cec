#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "task/task.hpp"

namespace attnspan {

/// The counts of a text: how often each byte follows each context of at most `longest_order` bytes.
/// Read it as the Witten-Bell model of any order up to that: of a context that was seen N times
/// with T different bytes after it,
///   p(c | context) = (count(c) + T p(c | context without its first byte)) / (N + T),
/// of one that was never seen the model of the shorter one, and below the empty context each of 256
/// bytes alike. Witten and Bell, "The zero-frequency problem", IEEE Trans. Inf. Theory 37, 1991.
class ByteModel {
 public:
  static constexpr int longest_order = 5;

  explicit ByteModel(std::string_view text);

  /// That `next` follows these bytes, of which the last `order` are looked at. Always above 0.
  double probability(std::span<const Token> before, Token next, int order) const;

 private:
  /// The sequences of one length, context and next byte, with how often all before them occur.
  struct Order {
    std::vector<std::uint64_t> sequences;  ///< ascending
    std::vector<std::uint32_t> before;     ///< one more than sequences
  };
  std::array<Order, longest_order + 1> orders_;
};

}  // namespace attnspan
