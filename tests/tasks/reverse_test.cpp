#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

TEST_CASE("reverse: the oracle turns a typed sequence around", "[golden]") {
  const NamedTask reverse = make_task("reverse");
  for (const char* text : {"BOS s3 s31 s0 s3 s4 SEP [s4] [s3] [s0] [s31] [s3] [EOS]",
                           "BOS s1 s2 SEP [s2] [s1] [EOS]", "BOS s7 SEP [s7] [EOS]"}) {
    const Sample sample = typed_sample(*reverse.task, text);
    CHECK(solved(*reverse.task, sample) == answers_of(sample));
  }
  const Sample copied = typed_sample(*reverse.task, "BOS s3 s4 SEP [s3] [s4] [EOS]");
  CHECK(solved(*reverse.task, copied) != answers_of(copied));
}
