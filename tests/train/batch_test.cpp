#include "train/batch.hpp"

#include "support/catch.hpp"

using namespace attnspan;

namespace {

Sample sample_of(std::vector<Token> tokens, std::vector<std::int32_t> answers) {
  Sample sample;
  sample.tokens = std::move(tokens);
  sample.answers = std::move(answers);
  return sample;
}

}  // namespace

TEST_CASE("samples are stacked with the rows that predict their answers", "[unit]") {
  const BatchPacker packer(Positions{}, 0);
  PackedBatch batch;
  packer.clear(batch);
  CHECK(batch.rows() == 0);
  CHECK(batch.begin == std::vector<Index>{0});

  // Token 14 at place 4 is asked for and never an input; what follows the last answer is left out.
  packer.add(sample_of({10, 11, 12, 13, 14, 15}, {2, 4}), 0, batch);
  packer.add(sample_of({20, 21}, {1}), 1, batch);
  CHECK(batch.tokens == std::vector<std::int32_t>{10, 11, 12, 13, 20});
  CHECK(batch.positions == std::vector<Position>{0, 1, 2, 3, 0});
  CHECK(batch.begin == std::vector<Index>{0, 4, 5});
  CHECK(batch.answer_rows == std::vector<Index>{1, 3, 4});
  CHECK(batch.answer_begin == std::vector<Index>{0, 2, 3});
  CHECK(batch.targets == std::vector<std::int32_t>{12, 14, 21});

  packer.clear(batch);
  CHECK(batch.rows() == 0);
  CHECK(batch.targets.empty());
}
