#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

TEST_CASE("sort: the oracle sorts a typed sequence by number, not by name", "[golden]") {
  const NamedTask sort = make_task("sort");
  for (const char* text : {"BOS s10 s9 s2 s31 s2 s0 SEP [s0] [s2] [s2] [s9] [s10] [s31] [EOS]",
                           "BOS s5 SEP [s5] [EOS]", "BOS s1 s1 s1 SEP [s1] [s1] [s1] [EOS]"}) {
    const Sample sample = typed_sample(*sort.task, text);
    CHECK(solved(*sort.task, sample) == answers_of(sample));
  }
  const Sample missing_repeat = typed_sample(*sort.task, "BOS s2 s1 s2 SEP [s1] [s1] [s2] [EOS]");
  CHECK(solved(*sort.task, missing_repeat) != answers_of(missing_repeat));
}

TEST_CASE("sort: a sample's target ascends and ends in EOS", "[unit]") {
  const NamedTask sort = make_task("sort:symbols=6");
  Rng rng(1, Stream::train, 4);
  const Sample sample = sort.task->generate(rng, 50, Purpose::training);
  CHECK(std::ssize(sample.tokens) == sort.task->total_tokens(50, Purpose::training));
  CHECK(std::ssize(sample.answers) == sort.task->answer_tokens(50, Purpose::training));
  const std::vector<Token> answers = answers_of(sample);
  CHECK(sort.task->token_name(answers.back()) == "EOS");
  for (std::size_t i = 1; i < 50; ++i) CHECK(answers[i - 1] <= answers[i]);
}
