#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "task/task.hpp"

namespace attnspan {

/// Letters 0 .. 65535, one per character: cheap to copy, and hashable as it is.
using Word = std::u16string;

/// `length` letters, each uniform on 0 .. alphabet-1.
Word random_word(Rng& rng, std::int64_t alphabet, std::int64_t length);

/// `count` different words in random order, every such list equally likely, in time O(count).
/// Precondition: there are that many.
std::vector<Word> distinct_words(Rng& rng, std::int64_t count, std::int64_t alphabet,
                                 std::int64_t length);

/// Appends a word's letters as tokens first_symbol, first_symbol + 1, ...
void append_word(std::vector<Token>& tokens, const Word& word, Token first_symbol);

/// Keys, all different, and the value of each.
struct Dictionary {
  std::vector<Word> keys, values;
};

/// The items with distinct keys that a haystack of n tokens holds, among which one is looked up.
struct HaystackItems {
  std::string task;               ///< named in messages, with `item`
  std::string item;               ///< "pair", say
  std::int64_t width = 0;         ///< tokens in an item
  double density = 0;             ///< share of the haystack that items take up
  std::int64_t fixed_count = 0;   ///< items whatever the length, or 0: as many as density says
  std::int64_t alphabet = 0;      ///< of the keys and values
  std::int64_t key_length = 0;    ///< tokens in a key
  std::int64_t value_length = 0;  ///< tokens in a value
  double crowded = 0;             ///< share of the training samples that are crowded

  /// Items in a haystack of `length` tokens.
  std::int64_t count(std::int64_t length) const;

  /// Throws InputError with what to change when there would be no item, no room for a fixed count,
  /// or too few different keys.
  void check_length(std::int64_t length) const;

  /// The items of one sample. Letters come from the whole alphabet or, in a crowded training
  /// sample, from 5 to 16 symbols of it, chosen anew (more where the keys could not differ else),
  /// so that keys and values share tokens at every place.
  Dictionary draw(Rng& rng, std::int64_t length, Purpose purpose) const;

  /// So many items of a crowded sample.
  Dictionary draw_crowded(Rng& rng, std::int64_t items) const;

  /// Symbols in a crowded sample of so many items.
  std::int64_t crowd(Rng& rng, std::int64_t items) const;
};

/// What a person may set of the items, with these defaults. The count is named after the item.
struct HaystackDefaults {
  std::string item;
  std::string alphabet, value_length, density;
};
std::vector<ParameterSpec> haystack_parameters(const HaystackDefaults& defaults);

/// The parameter that says which share of the training samples is crowded.
ParameterSpec crowded_items_parameter();

/// The items that the arguments ask for; each has `marks` tokens beside key and value.
HaystackItems haystack_items(const std::string& task, const std::string& item, std::int64_t marks,
                             const Arguments& arguments);

/// Which items so many questions ask for: each once, in random order, before any twice.
std::vector<std::size_t> draw_questions(Rng& rng, std::int64_t items, std::int64_t questions);

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
