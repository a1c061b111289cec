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

}  // namespace

TEST_CASE("a density that fills whole items loses none to rounding", "[unit]") {
  // 0.7 * 180 / 6 is 20.999999999999996 in floating point.
  CHECK(HaystackItems{"recall", "pair", 6, 0.7, 0, 64, 2}.count(180) == 21);
  CHECK(HaystackItems{"recall", "pair", 7, 0.35, 0, 64, 2}.count(180) == 9);
  for (std::int64_t width = 3; width <= 18; ++width)
    for (int percent = 1; percent <= 100; ++percent)
      for (std::int64_t length = 1; length <= 400; ++length)
        REQUIRE(HaystackItems{"", "", width, percent / 100.0, 0, 64, 2}.count(length) ==
                percent * length / (100 * width));
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
  const HaystackItems pairs{"recall", "pair", 6, 0.8, 0, 64, 2};
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
  const HaystackItems needles{"needle", "needle", 4, 0.5, 20, 64, 2};
  CHECK(refusal(needles, 80) == "no InputError");
  CHECK(refusal(needles, 79) ==
        "needle: length 79 has no room for 20 needles of 4 tokens; use a length of at least 80 or "
        "fewer needles.");
}
