// Streaming evaluation on trained weights, whose attention is neither random nor flat.

#include "support/catch.hpp"
#include "support/names.hpp"
#include "support/training.hpp"
#include "train/batch.hpp"
#include "train/evaluator.hpp"

using namespace attnspan;

// Lengths beyond 256 tokens are those where blocks are skipped and equal keys counted. Trained
// scores of size 30 keep 2^-24 30 of themselves in float; two layers pass that on a hundredfold.
TEST_CASE("streaming logits of trained models equal those of training", "[property]") {
  const Threads one_thread(1);  // steps this small are over before a second one wakes
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    SmallRun run("recall:alphabet=16,value_length=1,training_queries=3", attention, position);
    run.options.train_length = 20;
    run.options.min_train_length = 10;
    run.options.steps = 40;
    run.options.batch_size = 24;
    run.options.learning_rate = 1e-2;
    const Trainer trainer = run.trained();
    const Transformer<float> model(run.config);
    const BatchPacker packer(model.positions(), 0);
    for (const std::int64_t length : {20, 600}) {
      PackedBatch batch;
      packer.clear(batch);
      packer.add(evaluation_sample(*run.task.task, {1, Stream::test, length, 1}, 0), 0, batch);
      const AlignedVector<float> expected = model.logits(trainer.weights(), batch);
      for (const bool skip : {false, true}) {
        INFO(length << " long" << (skip ? ", skipping" : ""));
        CHECK(largest_difference(
                  model.stream_logits(trainer.weights(), batch.tokens, batch.positions,
                                      batch.answer_rows, {.skip = skip, .stop = nullptr}),
                  expected) < 1e-3);
      }
    }
  }
}
