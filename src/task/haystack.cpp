#include "task/haystack.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "task/training_share.hpp"

namespace attnspan {
namespace {

/// alphabet^length, or a number beyond every haystack when that is larger.
std::int64_t word_count(std::int64_t alphabet, std::int64_t length) {
  std::int64_t words = 1;
  for (std::int64_t i = 0; i < length && words <= longest_length; ++i) words *= alphabet;
  return words;
}

}  // namespace

Word random_word(Rng& rng, std::int64_t alphabet, std::int64_t length) {
  Word word;
  for (std::int64_t i = 0; i < length; ++i)
    word.push_back(static_cast<char16_t>(rng.below(static_cast<std::uint32_t>(alphabet))));
  return word;
}

std::vector<Word> distinct_words(Rng& rng, std::int64_t count, std::int64_t alphabet,
                                 std::int64_t length) {
  std::vector<Word> words;
  words.reserve(static_cast<std::size_t>(count));
  const std::int64_t all = word_count(alphabet, length);
  if (all >= 2 * count) {
    // At least every second draw is new.
    std::unordered_set<Word> taken;
    while (std::ssize(words) < count) {
      Word word = random_word(rng, alphabet, length);
      if (taken.insert(word).second) words.push_back(std::move(word));
    }
    return words;
  }
  // Most words are taken: shuffle the list of them all as far as is needed (Fisher and Yates).
  std::vector<std::int64_t> codes(static_cast<std::size_t>(all));
  std::iota(codes.begin(), codes.end(), std::int64_t{0});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::swap(codes[i], codes[i + rng.below(static_cast<std::uint32_t>(codes.size() - i))]);
    Word word(static_cast<std::size_t>(length), u'\0');
    std::int64_t code = codes[i];
    for (char16_t& letter : word) {
      letter = static_cast<char16_t>(code % alphabet);
      code /= alphabet;
    }
    words.push_back(std::move(word));
  }
  return words;
}

void append_word(std::vector<Token>& tokens, const Word& word, Token first_symbol) {
  for (const char16_t letter : word) tokens.push_back(first_symbol + static_cast<Token>(letter));
}

std::int64_t HaystackItems::count(std::int64_t length) const {
  if (fixed_count > 0) return fixed_count;
  // 0.29 * 100 is 28.999999999999996: a share that is whole in decimals must count as whole.
  constexpr double rounding = 1e-9;
  return static_cast<std::int64_t>(
      density * static_cast<double>(length) / static_cast<double>(width) + rounding);
}

void HaystackItems::check_length(std::int64_t length) const {
  check_length_range(task, length);
  const std::int64_t items = count(length);
  const std::string at_length = task + ": length " + std::to_string(length) + " ";
  if (items * width > length)
    throw InputError(at_length + "has no room for " + std::to_string(items) + " " + item + "s of " +
                     std::to_string(width) + " tokens; use a length of at least " +
                     std::to_string(items * width) + " or fewer " + item + "s.");
  if (items < 1) {
    auto enough = static_cast<std::int64_t>(static_cast<double>(width) / density);
    while (count(enough) < 1) ++enough;
    throw InputError(at_length + "has no room for a " + item + " of " + std::to_string(width) +
                     " tokens at density " + shortest(density) + "; use a length of at least " +
                     std::to_string(enough) + " or a higher density.");
  }
  const std::int64_t keys = word_count(alphabet, key_length);
  if (items > keys) {
    std::int64_t enough = alphabet;
    while (word_count(enough, key_length) < items) ++enough;
    throw InputError(at_length + "holds " + std::to_string(items) + " " + item +
                     "s, but alphabet=" + std::to_string(alphabet) +
                     " and key_length=" + std::to_string(key_length) + " give only " +
                     std::to_string(keys) + " different keys; raise alphabet to at least " +
                     std::to_string(enough) + ", or key_length.");
  }
}

namespace {

/// So many distinct keys, and values, of the first `symbols` letters.
Dictionary draw_words(Rng& rng, const HaystackItems& shape, std::int64_t items,
                      std::int64_t symbols) {
  Dictionary drawn{distinct_words(rng, items, symbols, shape.key_length), {}};
  drawn.values.reserve(drawn.keys.size());
  for (std::int64_t i = 0; i < items; ++i)
    drawn.values.push_back(random_word(rng, symbols, shape.value_length));
  return drawn;
}

}  // namespace

Dictionary HaystackItems::draw(Rng& rng, std::int64_t length, Purpose purpose) const {
  if (is_of_share(rng, crowded, purpose)) return draw_crowded(rng, count(length));
  return draw_words(rng, *this, count(length), alphabet);
}

Dictionary HaystackItems::draw_crowded(Rng& rng, std::int64_t items) const {
  const std::int64_t symbols = crowd(rng, items);
  Dictionary drawn = draw_words(rng, *this, items, symbols);
  const std::vector<Word> chosen = distinct_words(rng, symbols, alphabet, 1);
  for (std::vector<Word>* words : {&drawn.keys, &drawn.values})
    for (Word& word : *words)
      for (char16_t& letter : word) letter = chosen[letter][0];
  return drawn;
}

std::int64_t HaystackItems::crowd(Rng& rng, std::int64_t items) const {
  constexpr std::uint32_t fewest = 5, most = 16;
  std::int64_t symbols = fewest + rng.below(most - fewest + 1);
  while (word_count(symbols, key_length) < items) ++symbols;
  return std::min(symbols, alphabet);
}

std::vector<ParameterSpec> haystack_parameters(const HaystackDefaults& defaults) {
  using Kind = ParameterSpec::Kind;
  const std::string& item = defaults.item;
  return {{.name = "alphabet",
           .help = "symbols that keys and values are made of",
           .default_value = defaults.alphabet,
           .minimum = 2,
           .maximum = 65536},
          {.name = "key_length",
           .help = "tokens in a key",
           .default_value = "2",
           .minimum = 1,
           .maximum = 8},
          {.name = "value_length",
           .help = "tokens in a value",
           .default_value = defaults.value_length,
           .minimum = 1,
           .maximum = 8},
          {.name = item + "s",
           .help = item + "s in the haystack whatever its length; 0: as many as density says",
           .default_value = "0",
           .minimum = 0,
           .maximum = longest_length},
          {.name = "density",
           .help = "share of the haystack taken by " + item + "s, where " + item + "s=0",
           .default_value = defaults.density,
           .kind = Kind::number,
           .minimum = 0.001,
           .maximum = 1},
          crowded_items_parameter()};
}

ParameterSpec crowded_items_parameter() {
  return training_share_parameter(
      "crowded", "with few symbols (5 to 16, chosen anew), so that keys and values share them");
}

HaystackItems haystack_items(const std::string& task, const std::string& item, std::int64_t marks,
                             const Arguments& arguments) {
  const std::int64_t key_length = arguments.integer("key_length");
  const std::int64_t value_length = arguments.integer("value_length");
  return {.task = task,
          .item = item,
          .width = key_length + value_length + marks,
          .density = arguments.number("density"),
          .fixed_count = arguments.integer(item + "s"),
          .alphabet = arguments.integer("alphabet"),
          .key_length = key_length,
          .value_length = value_length,
          .crowded = arguments.has("crowded") ? arguments.number("crowded") : 0};
}

std::vector<std::size_t> draw_questions(Rng& rng, std::int64_t items, std::int64_t questions) {
  std::vector<std::size_t> order(static_cast<std::size_t>(items)), asked;
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; std::ssize(asked) < questions; i = (i + 1) % order.size()) {
    std::swap(order[i], order[i + rng.below(static_cast<std::uint32_t>(order.size() - i))]);
    asked.push_back(order[i]);
  }
  return asked;
}

}  // namespace attnspan
