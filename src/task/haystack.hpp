#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.hpp"

namespace attnspan {

/// Letters 0 .. 65535, one per character: cheap to copy, and hashable as it is.
using Word = std::u16string;

/// `length` letters, each uniform on 0 .. alphabet-1.
Word random_word(Rng& rng, std::int64_t alphabet, std::int64_t length);

/// `count` different words in random order, every such list equally likely, in time O(count).
/// Precondition: there are that many.
std::vector<Word> distinct_words(Rng& rng, std::int64_t count, std::int64_t alphabet,
                                 std::int64_t length);

/// How many items with distinct keys a haystack of n tokens holds.
struct HaystackItems {
  std::string task;              ///< named in messages, with `item`
  std::string item;              ///< "pair", say
  std::int64_t width = 0;        ///< tokens in an item
  double density = 0;            ///< share of the haystack that items take up
  std::int64_t fixed_count = 0;  ///< items whatever the length, or 0: as many as density says
  std::int64_t alphabet = 0;     ///< of the keys
  std::int64_t key_length = 0;   ///< tokens in a key

  /// Items in a haystack of `length` tokens.
  std::int64_t count(std::int64_t length) const;

  /// Throws InputError with what to change when there would be no item, no room for a fixed count,
  /// or too few different keys.
  void check_length(std::int64_t length) const;
};

/// Calls item() `items` times and filler() `fillers` times, in an order drawn uniformly.
template <class Item, class Filler>
void scatter(Rng& rng, std::int64_t items, std::int64_t fillers, const Item& item,
             const Filler& filler) {
  for (std::int64_t left = items + fillers; left > 0; --left) {
    if (rng.below(static_cast<std::uint32_t>(left)) < items) {
      item();
      --items;
    } else {
      filler();
    }
  }
}

}  // namespace attnspan
