#include <cmath>
#include <map>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

Sample draw(const Task& task, std::int64_t length, std::uint64_t index = 0) {
  Rng rng(3, Stream::test, index);
  return task.generate(rng, length, Purpose::evaluation);
}

std::string refusal(const Task& task, std::int64_t length) {
  try {
    task.check_length(length);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace

TEST_CASE("mqmtar: the oracle answers typed queries in their order, with their frame", "[golden]") {
  const NamedTask mqmtar = make_task("mqmtar");
  const Sample sample =
      typed_sample(*mqmtar.task,
                   "BOS _ _ s5 s52 = s44 s25 s4 s23 = s45 s48 _ _ s5 s4 = s5 s4 _ _ "
                   "? s5 s52 ? s4 s23 ? s5 s52 ? s5 s4 SEP "
                   "[?] [s44] [s25] [?] [s45] [s48] [?] [s44] [s25] [?] [s5] [s4] [EOS]");
  CHECK(solved(*mqmtar.task, sample) == answers_of(sample));
  const Sample swapped =
      typed_sample(*mqmtar.task,
                   "BOS _ _ s5 s52 = s44 s25 s4 s23 = s45 s48 _ _ ? s5 s52 ? s4 s23 SEP "
                   "[?] [s45] [s48] [?] [s44] [s25] [EOS]");
  CHECK(solved(*mqmtar.task, swapped) != answers_of(swapped));
}

// 65,536: int(0.8 * 65536 / 6) = 8738 pairs in blocks of floor(65536 / 8738) = 7 tokens.
TEST_CASE("mqmtar: a context has floor(0.8 L / 6) pairs in blocks of floor(L / K) tokens",
          "[golden]") {
  const NamedTask mqmtar = make_task("mqmtar");
  const struct {
    std::int64_t length, pairs, context;
  } cases[] = {{8, 1, 8},     {15, 2, 14},      {32, 4, 32},          {64, 8, 64},
               {100, 13, 91}, {1024, 136, 952}, {65536, 8738, 61166}, {75007, 10000, 70000}};
  for (const auto& each : cases) {
    INFO("length " << each.length);
    const auto quantities = mqmtar.task->quantities(each.length);
    CHECK(quantities.at(0).value == each.pairs);
    CHECK(quantities.at(1).name == "context_tokens");
    CHECK(quantities.at(1).value == each.context);
    const Sample sample = draw(*mqmtar.task, each.length);
    CHECK(std::ssize(sample.tokens) == each.context + 3 + 24);
    CHECK(mqmtar.task->total_tokens(each.length, Purpose::training) == each.context + 27);
    CHECK(sample.answers.size() == 13);
    std::int64_t pairs = 0;
    const std::int64_t block = each.context / each.pairs;
    for (std::int64_t start = 1; start <= each.context; start += block) {
      std::string shape;
      for (std::int64_t p = start; p < start + block; ++p) {
        const std::string name =
            mqmtar.task->token_name(sample.tokens[static_cast<std::size_t>(p)]);
        shape += name[0];
      }
      const std::size_t first = shape.find("ss=ss");
      REQUIRE(first != std::string::npos);
      REQUIRE(shape.find_first_not_of('_') == first);
      REQUIRE(shape.find_last_not_of('_') == first + 4);
      ++pairs;
    }
    CHECK(pairs == each.pairs);
    CHECK(solved(*mqmtar.task, sample) == answers_of(sample));
  }
}

TEST_CASE("mqmtar: lengths that need more pairs than words are refused with the reason", "[unit]") {
  const NamedTask mqmtar = make_task("mqmtar");
  CHECK(refusal(*mqmtar.task, 75007) == "no InputError");
  CHECK(
      refusal(*mqmtar.task, 75008) ==
      "mqmtar: length 75008 needs 10001 pairs, but the task has only 10000 words for keys and for "
      "values; use a length of at most 75007.");
  CHECK(refusal(*mqmtar.task, 7) ==
        "mqmtar: length 7 has no room for a pair; use a length of at least 8.");
}

TEST_CASE("mqmtar: words are drawn once, and paired anew in every sample", "[property]") {
  const auto words = [](const char* name) {
    const NamedTask mqmtar = make_task(name);
    std::map<std::pair<Token, Token>, std::set<std::pair<Token, Token>>> values;
    std::set<std::pair<Token, Token>> told;
    for (std::uint64_t index = 0; index < 3; ++index) {
      const Sample sample = draw(*mqmtar.task, 75007, index);  // every word in every sample
      for (std::size_t p = 1; p < 70000; ++p)
        if (mqmtar.task->token_name(sample.tokens[p]) == "=") {
          const std::pair value{sample.tokens[p + 1], sample.tokens[p + 2]};
          values[{sample.tokens[p - 2], sample.tokens[p - 1]}].insert(value);
          told.insert(value);
        }
    }
    CHECK(values.size() == 10000);
    CHECK(told.size() == 10000);
    std::size_t different = 0;
    for (const auto& [key, its] : values) different += its.size();
    CHECK(different > 29900);  // hardly any value twice with one key
    std::set<std::pair<Token, Token>> keys;
    for (const auto& [key, its] : values) keys.insert(key);
    return keys;
  };
  const auto usual = words("mqmtar"), other = words("mqmtar:words_seed=1");
  CHECK(usual == words("mqmtar:words_seed=0"));
  std::size_t shared = 0;
  for (const auto& key : usual) shared += other.count(key);
  CHECK(shared == Approx(10000.0 * 10000 / 65536).margin(120));  // four standard deviations
}

TEST_CASE("mqmtar: queries are drawn with replacement", "[property]") {
  const NamedTask mqmtar = make_task("mqmtar");
  int repeated = 0;
  for (std::uint64_t index = 0; index < 1000; ++index) {
    const Sample sample = draw(*mqmtar.task, 64, index);
    std::set<std::pair<Token, Token>> asked;
    for (std::size_t query = 0; query < 4; ++query)
      asked.insert({sample.tokens[66 + 3 * query], sample.tokens[67 + 3 * query]});
    repeated += asked.size() < 4 ? 1 : 0;
  }
  CHECK(repeated == Approx(1000 * (1 - 7.0 / 8 * 6 / 8 * 5 / 8)).margin(63));  // four deviations
}

TEST_CASE("mqmtar: a share of the training samples asks for one pair, or has few symbols",
          "[property]") {
  const NamedTask plain = make_task("mqmtar"), both = make_task("mqmtar:crowded=0.5,repeated=0.3");
  constexpr std::size_t context = 64;
  int alike = 0, crowded = 0;
  for (std::uint64_t index = 0; index < 2000; ++index) {
    Rng rng(5, Stream::train, index);
    const Sample sample = both.task->generate(rng, 64, Purpose::training);
    REQUIRE(std::ssize(sample.tokens) == both.task->total_tokens(64, Purpose::training));
    REQUIRE(solved(*both.task, sample) == answers_of(sample));
    std::set<std::pair<Token, Token>> asked;
    for (std::size_t query = 0; query < 4; ++query)
      asked.insert(
          {sample.tokens[context + 2 + 3 * query], sample.tokens[context + 3 + 3 * query]});
    alike += asked.size() == 1 ? 1 : 0;
    std::set<Token> symbols;
    for (std::size_t p = 1; p <= context; ++p)
      if (both.task->token_name(sample.tokens[p])[0] == 's') symbols.insert(sample.tokens[p]);
    crowded += symbols.size() <= 16 ? 1 : 0;
    if (index < 200)
      CHECK(draw(*both.task, 64, index).tokens == draw(*plain.task, 64, index).tokens);
  }
  // One in 512 of the others asks for one pair by chance; 32 symbols of 256 hardly ever are 16.
  CHECK(alike == Approx(2000 * (0.3 + 0.7 / 512)).margin(82));  // four deviations
  CHECK(crowded == Approx(1000).margin(90));
}

TEST_CASE("mqmtar: chance is a guess of eight symbols", "[unit]") {
  const NamedTask mqmtar = make_task("mqmtar");
  CHECK(mqmtar.task->chance(64) == Approx(std::pow(256.0, -8)));
  CHECK(mqmtar.task->vocabulary_size() == 262);
}
