#include "task/byte_model.hpp"

#include <algorithm>

namespace attnspan {

ByteModel::ByteModel(std::string_view text) {
  for (std::size_t order = 0; order < orders_.size(); ++order) {
    const std::uint64_t mask = (std::uint64_t{1} << 8 * (order + 1)) - 1;
    std::vector<std::uint64_t> all;
    std::uint64_t sequence = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      sequence = (sequence << 8 | static_cast<unsigned char>(text[i])) & mask;
      if (i >= order) all.push_back(sequence);
    }
    std::sort(all.begin(), all.end());
    auto& [sequences, before] = orders_[order];
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0 && all[i] == all[i - 1]) continue;
      sequences.push_back(all[i]);
      before.push_back(static_cast<std::uint32_t>(i));
    }
    before.push_back(static_cast<std::uint32_t>(all.size()));
  }
}

double ByteModel::probability(std::span<const Token> before, Token next, int order) const {
  double p = 1.0 / 256;
  std::uint64_t context = 0;
  const auto longest = std::min(static_cast<std::size_t>(order), before.size());
  for (std::size_t k = 0; k <= longest; ++k) {
    if (k > 0) context |= static_cast<std::uint64_t>(before[before.size() - k]) << 8 * (k - 1);
    const auto& [sequences, counted] = orders_[k];
    const auto place = [&all = sequences](std::uint64_t sequence) {
      return static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), sequence) -
                                      all.begin());
    };
    const std::uint64_t wanted = context << 8 | static_cast<std::uint64_t>(next);
    const std::size_t first = place(context << 8), end = place((context + 1) << 8);
    if (first == end) break;  // nor was any longer context seen
    const std::size_t at = place(wanted);
    const double count = at < end && sequences[at] == wanted ? counted[at + 1] - counted[at] : 0u;
    const auto kinds = static_cast<double>(end - first);
    p = (count + kinds * p) / (counted[end] - counted[first] + kinds);
  }
  return p;
}

}  // namespace attnspan
