#include "train/cost.hpp"

#include "support/catch.hpp"
#include "support/training.hpp"

using namespace attnspan;

TEST_CASE("a training step's operations are counted by hand", "[unit]") {
  SmallRun run("copy");
  run.options.train_length = 8;
  run.options.batch_size = 10;
  // 19 tokens a sample; a layer multiplies each by 4 x 16 x 16 + 2 x 16 x 32 weights, the output by
  // 16 x 35; a token sees 10 keys on average, each for 12 x 16 operations in each of 2 layers.
  CHECK(training_step_flops(run.config, *run.task.task, run.options) ==
        Approx(10.0 * 19 * (6 * (2 * (1024 + 1024) + 560) + 12 * 16 * 10 * 2)));
}

TEST_CASE("cost and memory grow with what they are asked for", "[property]") {
  const SmallRun run("copy");
  const Task& task = *run.task.task;
  double flops = 0, bytes = 0;
  for (std::int64_t length = 16; length <= 1 << 20; length *= 4) {
    CHECK(evaluation_flops(run.config, task, length) > flops);
    CHECK(evaluation_bytes(run.config, task, length, 2) > bytes);
    // Memory grows linearly: four times the tokens, at most four times the bytes.
    if (bytes > 0) CHECK(evaluation_bytes(run.config, task, length, 2) < 4.01 * bytes);
    flops = evaluation_flops(run.config, task, length);
    bytes = evaluation_bytes(run.config, task, length, 2);
  }
  SmallRun larger = run;
  larger.config.layers = 4;
  CHECK(evaluation_flops(larger.config, task, 64) > evaluation_flops(run.config, task, 64));
  CHECK(training_bytes(larger.config, task, run.options, 2) >
        training_bytes(run.config, task, run.options, 2));
  CHECK(training_bytes(run.config, task, run.options, 4) >
        training_bytes(run.config, task, run.options, 2));
}
