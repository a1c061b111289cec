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

TEST_CASE("the average step's operations are the mean over the lengths that steps draw", "[unit]") {
  SmallRun run("copy");
  const Task& task = *run.task.task;
  run.options.train_length = 11;
  run.options.min_train_length = 8;
  const auto at = [&](std::int64_t length) {
    TrainingOptions options = run.options;
    options.train_length = length;
    return training_step_flops(run.config, task, options);
  };
  CHECK(mean_training_step_flops(run.config, task, run.options) ==
        Approx((at(8) + at(9) + at(10) + at(11)) / 4));
  run.options.min_train_length = 11;
  CHECK(mean_training_step_flops(run.config, task, run.options) == at(11));
  run.options.train_length = 10'000;  // not every length, but evenly
  double sum = 0;
  for (std::int64_t length = 1; length <= 10'000; ++length) sum += at(length);
  run.options.min_train_length = 1;
  CHECK(mean_training_step_flops(run.config, task, run.options) ==
        Approx(sum / 10'000).epsilon(0.03));
}

TEST_CASE("only what leaves keys out is expected to", "[unit]") {
  const auto flops = [](const std::string& attention, const std::string& position) {
    SmallRun run("copy");
    run.config.attention = attention;
    run.config.position = position;
    return evaluation_flops(run.config, *run.task.task, 30'000);
  };
  // A near head looks at some hundreds of keys; one that is not bounded, at half of all.
  CHECK(flops("softmax", "cope") > 30 * flops("softmax", "alibi"));
  CHECK(flops("softmax", "t5") > 30 * flops("softmax", "window"));
  // Tokens of the first layer are counted where its queries and keys are their tokens' alone.
  CHECK(flops("softmax", "rope") > 1.9 * flops("softmax", "nope"));
  CHECK(flops("top-k", "nope") > 1.9 * flops("softmax", "nope"));
  CHECK(flops("selective", "nope") > flops("top-k", "nope"));
  // Queries and keys of two views, and wider ones.
  const SmallRun run("copy");
  const auto bytes = [&](const std::string& attention, const std::string& position) {
    SmallRun other = run;
    other.config.attention = attention;
    other.config.position = position;
    return evaluation_bytes(other.config, *other.task.task, 1 << 20, 1);
  };
  CHECK(bytes("tda", "nope") > bytes("softmax", "nope"));
  CHECK(bytes("softmax", "pope") > bytes("softmax", "nope"));
  CHECK(bytes("softmax", "fox") > bytes("softmax", "nope"));
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
