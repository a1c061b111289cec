#include "core/rng.hpp"

#include <array>
#include <set>
#include <vector>

#include "support/catch.hpp"

using attnspan::Rng;
using attnspan::Stream;

namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(const Block& counter, const std::array<std::uint32_t, 2>& key) {
  const auto out =
      r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
  return {out[0], out[1], out[2], out[3]};
}

Block block_of(Rng rng) { return {rng.next(), rng.next(), rng.next(), rng.next()}; }

const std::vector<Stream> every_stream = {
    Stream::initialization, Stream::batch_shape, Stream::train,
    Stream::validation,     Stream::test,        Stream::preview,
    Stream::benchmark,      Stream::positions,   Stream::words};

/// Pearson's statistic for equally likely cells.
double chi_square(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double statistic = 0;
  for (const int count : counts) statistic += (count - expected) * (count - expected) / expected;
  return statistic;
}

}  // namespace

// kat_vectors of Random123: philox4x32, 10 rounds.
TEST_CASE("philox gives its published known answers", "[golden]") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("rng starts with philox's known answer at seed 0", "[golden]") {
  CHECK(block_of(Rng(0, Stream::initialization)) ==
        Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

// Philox permutes counters under a key, so distinct counters are distinct numbers: it is enough
// that draw, stream with b, and a each have words of the counter to themselves.
TEST_CASE("rng gives seed, stream, a, b and draw their own words", "[property]") {
  const std::uint64_t seed = 0x0123456789abcdef;
  for (const Stream stream : every_stream)
    for (const std::uint64_t b : {0u, 1u, 1024u, 0xffffu})
      for (const std::uint64_t a : {0ull, 1ull, 0x100000000ull, 0xffffffffffffull}) {
        Rng rng(seed, stream, a, b);
        for (std::uint32_t draw = 0; draw < 3; ++draw) {
          const Block expected = philox(
              {draw, static_cast<std::uint32_t>(stream) * 65536 + static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32)},
              {0x89abcdef, 0x01234567});
          const Block drawn{rng.next(), rng.next(), rng.next(), rng.next()};
          REQUIRE(drawn == expected);
        }
      }
}

TEST_CASE("rng streams and their samples share no block", "[property]") {
  std::set<Block> blocks;
  std::size_t drawn = 0;
  for (const Stream stream : every_stream)
    for (std::uint64_t b = 0; b < 8; ++b)
      for (std::uint64_t a = 0; a < 50; ++a, ++drawn) blocks.insert(block_of(Rng(7, stream, a, b)));
  CHECK(blocks.size() == drawn);
}

TEST_CASE("rng copies go on alike", "[unit]") {
  Rng rng(1, Stream::test, 2, 3);
  rng.next();
  Rng copy = rng;
  for (int i = 0; i < 9; ++i) CHECK(copy.next() == rng.next());
}

// 3 * 2^30 values from 2^32 words: without rejection every third value would come twice as often.
TEST_CASE("rng below is unbiased where plain scaling is not", "[property]") {
  Rng rng(11, Stream::test);
  std::vector<int> residues(3);
  for (int i = 0; i < 30000; ++i) {
    const std::uint32_t value = rng.below(3u << 30);
    REQUIRE(value < 3u << 30);
    ++residues[value % 3];
  }
  CHECK(chi_square(residues) < 13.8);  // 99.9% point, 2 degrees of freedom
}

TEST_CASE("rng below reaches every value equally", "[property]") {
  Rng rng(12, Stream::test);
  std::vector<int> counts(10);
  for (int i = 0; i < 50000; ++i) ++counts[rng.below(10)];
  CHECK(chi_square(counts) < 27.9);  // 99.9% point, 9 degrees of freedom
  CHECK(rng.below(1) == 0);
}

TEST_CASE("rng uniform stays strictly between 0 and 1 with the right moments", "[property]") {
  Rng rng(13, Stream::test);
  double sum = 0, squares = 0;
  constexpr int draws = 100000;
  for (int i = 0; i < draws; ++i) {
    const double value = rng.uniform();
    REQUIRE(value > 0);
    REQUIRE(value < 1);
    sum += value;
    squares += value * value;
  }
  CHECK(sum / draws == Approx(0.5).margin(0.004));
  CHECK(squares / draws == Approx(1.0 / 3).margin(0.004));
}

// Margins are about four standard errors.
TEST_CASE("rng normal has the moments of the standard normal", "[property]") {
  Rng rng(14, Stream::initialization);
  double first = 0, second = 0, third = 0, fourth = 0;
  constexpr int draws = 200000;
  for (int i = 0; i < draws; ++i) {
    const double value = rng.normal();
    first += value / draws;
    second += value * value / draws;
    third += value * value * value / draws;
    fourth += value * value * value * value / draws;
  }
  CHECK(first == Approx(0).margin(0.009));
  CHECK(second == Approx(1).margin(0.013));
  CHECK(third == Approx(0).margin(0.035));
  CHECK(fourth == Approx(3).margin(0.09));
}
