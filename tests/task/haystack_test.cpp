#include "task/haystack.hpp"

#include <map>
#include <set>

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

std::string refusal(const HaystackItems& items, std::int64_t length) {
  try {
    items.check_length(length);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

HaystackItems of_width(std::int64_t width, double density) {
  return {.task = "recall",
          .item = "pair",
          .width = width,
          .density = density,
          .alphabet = 64,
          .key_length = 2,
          .value_length = 2};
}

std::size_t symbols_in(const Dictionary& drawn) {
  std::set<char16_t> symbols;
  for (const std::vector<Word>* words : {&drawn.keys, &drawn.values})
    for (const Word& word : *words) symbols.insert(word.begin(), word.end());
  return symbols.size();
}

}  // namespace

TEST_CASE("a density that fills whole items loses none to rounding", "[unit]") {
  // 0.7 * 180 / 6 is 20.999999999999996 in floating point.
  CHECK(of_width(6, 0.7).count(180) == 21);
  CHECK(of_width(7, 0.35).count(180) == 9);
  for (std::int64_t width = 3; width <= 18; ++width)
    for (int percent = 1; percent <= 100; ++percent)
      for (std::int64_t length = 1; length <= 400; ++length)
        REQUIRE(of_width(width, percent / 100.0).count(length) == percent * length / (100 * width));
}

TEST_CASE("distinct words are distinct, sparse or exhausting the alphabet", "[property]") {
  Rng rng(3, Stream::test);
  for (const std::int64_t count : {1, 7, 8, 9, 15, 16}) {
    const std::vector<Word> words = distinct_words(rng, count, 4, 2);
    CHECK(std::ssize(words) == count);
    CHECK(std::ssize(std::set<Word>(words.begin(), words.end())) == count);
    for (const Word& word : words) {
      REQUIRE(word.size() == 2);
      CHECK(word[0] < 4);
      CHECK(word[1] < 4);
    }
  }
  CHECK(distinct_words(rng, 5000, 65536, 8).size() == 5000);
}

// 2 of 4 words take the path that draws again, 3 of 4 the one that shuffles: 12 and 24 ordered
// lists, each as likely as the others.
TEST_CASE("distinct words are equally likely in every order", "[property]") {
  Rng rng(4, Stream::test);
  for (const std::int64_t count : {2, 3}) {
    std::map<std::vector<Word>, int> seen;
    constexpr int draws = 24000;
    for (int i = 0; i < draws; ++i) ++seen[distinct_words(rng, count, 2, 2)];
    const std::size_t lists = count == 2 ? 12 : 24;
    REQUIRE(seen.size() == lists);
    const double expected = static_cast<double>(draws) / static_cast<double>(lists);
    double chi_square = 0;
    for (const auto& [list, times] : seen)
      chi_square += (times - expected) * (times - expected) / expected;
    CHECK(chi_square < (count == 2 ? 31.3 : 49.7));  // 99.9% points, 11 and 23 degrees of freedom
  }
}

TEST_CASE("scatter makes every arrangement equally likely", "[property]") {
  Rng rng(5, Stream::test);
  std::map<std::string, int> seen;
  constexpr int draws = 20000;
  for (int i = 0; i < draws; ++i) {
    std::string order;
    scatter(
        rng, 2, 3, [&] { order += 'i'; }, [&] { order += '_'; });
    ++seen[order];
  }
  REQUIRE(seen.size() == 10);
  double chi_square = 0;
  for (const auto& [order, times] : seen) chi_square += (times - 2000.0) * (times - 2000.0) / 2000;
  CHECK(chi_square < 27.9);  // 99.9% point, 9 degrees of freedom
}

TEST_CASE("a haystack that cannot be is refused with what to change", "[unit]") {
  const HaystackItems pairs = of_width(6, 0.8);
  CHECK(refusal(pairs, 8) == "no InputError");
  CHECK(refusal(pairs, 7) ==
        "recall: length 7 has no room for a pair of 6 tokens at density 0.8; use a length of at "
        "least 8 or a higher density.");
  CHECK(refusal(pairs, 30720) == "no InputError");
  CHECK(refusal(pairs, 65536) ==
        "recall: length 65536 holds 8738 pairs, but alphabet=64 and key_length=2 give only 4096 "
        "different keys; raise alphabet to at least 94, or key_length.");
  for (const std::int64_t length :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{16777217}, std::int64_t{1} << 62})
    CHECK(refusal(pairs, length) ==
          "recall: length must be between 1 and 16777216, not " + std::to_string(length) + ".");
  const HaystackItems needles{.task = "needle",
                              .item = "needle",
                              .width = 4,
                              .fixed_count = 20,
                              .alphabet = 64,
                              .key_length = 2};
  CHECK(refusal(needles, 80) == "no InputError");
  CHECK(refusal(needles, 79) ==
        "needle: length 79 has no room for 20 needles of 4 tokens; use a length of at least 80 or "
        "fewer needles.");
}

TEST_CASE("crowded training samples draw all keys and values from 5 to 16 symbols", "[property]") {
  HaystackItems items = of_width(6, 0.8);
  items.crowded = 1;
  std::set<std::size_t> sizes;
  std::set<char16_t> seen;
  for (std::uint64_t index = 0; index < 300; ++index) {
    Rng rng(7, Stream::train, index);
    const Dictionary drawn = items.draw(rng, 300, Purpose::training);  // 40 pairs
    REQUIRE(drawn.keys.size() == 40);
    REQUIRE(std::set<Word>(drawn.keys.begin(), drawn.keys.end()).size() == 40);
    sizes.insert(symbols_in(drawn));
    for (const Word& value : drawn.values) seen.insert(value.begin(), value.end());
  }
  // 40 keys of two letters need 7 symbols, and 160 letters leave none of 16 out for long.
  CHECK(*sizes.begin() == 7);
  CHECK(*sizes.rbegin() == 16);
  CHECK(seen.size() == 64);  // the few are chosen anew each time, from all
}

TEST_CASE("a crowd is large enough for keys that differ, and no larger than the alphabet",
          "[unit]") {
  HaystackItems items = of_width(6, 1);
  Rng rng(8, Stream::train);
  for (int i = 0; i < 50; ++i) {
    CHECK(items.crowd(rng, 4) >= 5);
    CHECK(items.crowd(rng, 4) <= 16);
    CHECK(items.crowd(rng, 1000) == 32);  // 31 * 31 is 961
    items.alphabet = 3;
    CHECK(items.crowd(rng, 9) == 3);
    items.alphabet = 64;
  }
}

TEST_CASE("the share of crowded samples is as told, and evaluation has none", "[property]") {
  HaystackItems items = of_width(6, 0.8);
  items.crowded = 0.3;
  int crowded = 0;
  for (std::uint64_t index = 0; index < 2000; ++index) {
    Rng rng(9, Stream::train, index);
    crowded += symbols_in(items.draw(rng, 300, Purpose::training)) <= 16 ? 1 : 0;
    Rng there(9, Stream::test, index), here(9, Stream::test, index);
    const Dictionary drawn = items.draw(there, 64, Purpose::evaluation);
    const Dictionary plain = of_width(6, 0.8).draw(here, 64, Purpose::evaluation);
    REQUIRE(drawn.keys == plain.keys);
    REQUIRE(drawn.values == plain.values);
  }
  CHECK(crowded > 600 - 82);  // four standard deviations
  CHECK(crowded < 600 + 82);
}

TEST_CASE("questions ask every item once before any twice, in every order", "[property]") {
  std::map<std::vector<std::size_t>, int> seen;
  constexpr int draws = 6000;
  for (std::uint64_t index = 0; index < draws; ++index) {
    Rng rng(10, Stream::test, index);
    std::vector<std::size_t> asked = draw_questions(rng, 3, 7);
    REQUIRE(asked.size() == 7);
    REQUIRE(std::set<std::size_t>(asked.begin(), asked.begin() + 3).size() == 3);
    REQUIRE(std::set<std::size_t>(asked.begin() + 3, asked.begin() + 6).size() == 3);
    ++seen[{asked.begin() + 3, asked.begin() + 6}];
  }
  REQUIRE(seen.size() == 6);
  double chi_square = 0;
  for (const auto& [order, times] : seen) chi_square += (times - 1000.0) * (times - 1000.0) / 1000;
  CHECK(chi_square < 20.5);  // 99.9% point, 5 degrees of freedom
}
