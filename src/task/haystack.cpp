#include "task/haystack.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/names.hpp"
#include "task/task.hpp"

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

}  // namespace attnspan
