#include "train/trainer.hpp"

#include <cmath>
#include <cstring>
#include <map>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"
#include "support/training.hpp"
#include "train/evaluator.hpp"

using namespace attnspan;

namespace {

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Nats an answer token of the best learner without attention, which knows how often each token
/// follows each: the conditional entropy of the answers given the token before them.
double loss_without_attention(const SmallRun& run) {
  std::map<Token, std::map<Token, double>> counts;
  double answers = 0, loss = 0;
  for (std::uint64_t index = 0; index < 4000; ++index) {
    Rng rng(7, Stream::preview, index);
    const Sample sample = run.task.task->generate(rng, run.options.train_length, Purpose::training);
    for (const std::int32_t place : sample.answers) {
      const auto at = static_cast<std::size_t>(place);
      ++counts[sample.tokens[at - 1]][sample.tokens[at]];
      ++answers;
    }
  }
  for (const auto& [before, followers] : counts) {
    double all = 0;
    for (const auto& [token, count] : followers) all += count;
    for (const auto& [token, count] : followers) loss -= count * std::log(count / all);
  }
  return loss / answers;
}

}  // namespace

// The batches have 16 or 32 units, or fewer than there are threads; their blocks are trees of one
// to five levels.
TEST_CASE("training gives the same bytes with any number of threads", "[property]") {
  for (const std::int64_t length : {2, 8, 40})
    for (const char* attention : {"softmax", "asentmax"}) {
      INFO(attention << " at length " << length);
      SmallRun run("copy", attention);
      run.options.train_length = length;
      run.options.steps = length == 40 ? 4 : 8;
      for (const std::int64_t batch : {48, 5}) {
        run.options.batch_size = batch;
        const auto with_threads = [&](int count) {
          const Threads threads(count);
          return run.trained();
        };
        const Trainer one = with_threads(1);
        for (const int count : {2, 3, 4, 8, 17}) {
          INFO(count << " threads");
          const Trainer other = with_threads(count);
          CHECK(same_bytes(weights_of(other), weights_of(one)));
          CHECK(other.last_loss() == one.last_loss());
          CHECK(other.tokens_seen() == one.tokens_seen());
        }
      }
    }
}

TEST_CASE("training gives the same bytes when it is saved and loaded on the way", "[property]") {
  for (const char* position : {"nape", "rope"}) {
    INFO(position);
    SmallRun run("recall:alphabet=8,key_length=1,value_length=1", "asentmax", position);
    run.options.train_length = 16;
    run.options.min_train_length = 8;
    const Trainer whole = run.trained();
    REQUIRE(whole.status() == TrainStatus::done);
    for (const int at : {0, 1, 5, 11}) {
      INFO("saved after " << at << " steps");
      Trainer first = run.trainer();
      for (int step = 0; step < at; ++step) first.step();
      Trainer second = run.trainer();
      // What the second did before does not matter.
      second.step();
      second.step();
      second.load(first.save());
      CHECK(second.steps_done() == at);
      const Threads threads(3);
      while (second.step() == TrainStatus::running) {
      }
      CHECK(same_bytes(weights_of(second), weights_of(whole)));
      CHECK(second.last_loss() == whole.last_loss());
      CHECK(second.mean_loss() == whole.mean_loss());
      CHECK(second.tokens_seen() == whole.tokens_seen());
      CHECK(second.steps_done() == whole.steps_done());
      CHECK(second.status() == TrainStatus::done);
    }
  }
}

TEST_CASE("a finished training stays finished", "[unit]") {
  const SmallRun run("copy");
  Trainer trainer = run.trained();
  const std::vector<float> weights = weights_of(trainer);
  CHECK(trainer.step() == TrainStatus::done);
  CHECK(trainer.steps_done() == 12);
  CHECK(same_bytes(weights_of(trainer), weights));
  Trainer loaded = run.trainer();
  loaded.load(trainer.save());
  CHECK(loaded.status() == TrainStatus::done);
  CHECK(loaded.step() == TrainStatus::done);
}

TEST_CASE("states that are cut short or too long are refused and change nothing", "[property]") {
  SmallRun run("copy");
  run.config.layers = 1;
  Trainer source = run.trainer();
  source.step();
  source.step();
  const std::string bytes = source.save();
  Trainer target = run.trainer();
  target.step();
  const std::vector<float> weights = weights_of(target);
  std::vector<std::size_t> cuts{bytes.size() - 1, bytes.size() - 4, bytes.size() / 2};
  for (std::size_t cut = 0; cut < 400; ++cut) cuts.push_back(cut);
  for (std::size_t cut = 400; cut < bytes.size(); cut += 4099) cuts.push_back(cut);
  for (const std::size_t cut : cuts) {
    INFO("cut at " << cut << " of " << bytes.size());
    REQUIRE_THROWS_AS(target.load(bytes.substr(0, cut)), InputError);
  }
  CHECK_THROWS_AS(target.load(bytes + "x"), InputError);
  std::string absurd = bytes;
  absurd.replace(0, 8, std::string(8, '\xff'));  // the length of the first text
  CHECK_THROWS_AS(target.load(absurd), InputError);
  CHECK(target.steps_done() == 1);
  CHECK(same_bytes(weights_of(target), weights));
  CHECK_NOTHROW(target.load(bytes));
  CHECK(target.steps_done() == 2);
}

TEST_CASE("states of another model, task or option are refused", "[unit]") {
  const SmallRun own("copy");
  Trainer trainer = own.trainer();
  trainer.step();
  const std::vector<float> weights = weights_of(trainer);
  const auto refused = [&](const std::string& what, const SmallRun& other) {
    INFO(what);
    Trainer foreign = other.trainer();
    foreign.step();
    CHECK_THROWS_AS(trainer.load(foreign.save()), InputError);
  };
  const auto changed = [&](auto change) {
    SmallRun run("copy");
    change(run);
    return run;
  };
  refused("task", SmallRun("sort"));  // as many tokens of as many kinds
  refused("task parameter", SmallRun("copy:symbols=31"));
  refused("attention", SmallRun("copy", "entmax:1.5+log"));
  refused("position", SmallRun("copy", "asentmax", "nope"));
  refused("rate", changed([](SmallRun& run) { run.options.learning_rate *= 2; }));
  refused("seed", changed([](SmallRun& run) { run.options.seed = 6; }));
  refused("replicate", changed([](SmallRun& run) { run.options.replicate = 1; }));
  refused("steps", changed([](SmallRun& run) { run.options.steps = 13; }));
  refused("length", changed([](SmallRun& run) { run.options.train_length = 9; }));
  refused("batch", changed([](SmallRun& run) { run.options.batch_size = 47; }));
  refused("decay", changed([](SmallRun& run) { run.options.weight_decay = 0.1; }));
  refused("average", changed([](SmallRun& run) { run.options.weight_average = 0; }));
  refused("depth", changed([](SmallRun& run) { run.config.layers = 1; }));
  refused("width", changed([](SmallRun& run) { run.config.d_ff = 16; }));
  CHECK(same_bytes(weights_of(trainer), weights));
  CHECK(trainer.steps_done() == 1);
}

TEST_CASE("training lengths that the task does not have are refused", "[unit]") {
  SmallRun run("recall");  // a pair takes 6 tokens and 0.8 of the length
  run.options.train_length = 16;
  CHECK_THROWS_AS(run.trainer(), InputError);  // a quarter of 16 holds no pair
  run.options.min_train_length = 8;
  CHECK_NOTHROW(run.trainer());
  run.options.train_length = 7;
  run.options.min_train_length = 7;
  CHECK_THROWS_AS(run.trainer(), InputError);
}

TEST_CASE("replicates and seeds train differently", "[unit]") {
  SmallRun run("copy");
  run.options.steps = 2;
  const std::vector<float> weights = weights_of(run.trained());
  CHECK(same_bytes(weights_of(run.trained()), weights));
  run.options.replicate = 1;
  CHECK_FALSE(same_bytes(weights_of(run.trained()), weights));
  run.options.replicate = 0;
  run.options.seed = 6;
  CHECK_FALSE(same_bytes(weights_of(run.trained()), weights));
}

// The first step cannot see it yet; the second meets weights whose squares overflow.
TEST_CASE("a run that diverges says so with the step, for every variant", "[property]") {
  const Threads one_thread(1);  // steps this small are over before a second one wakes
  for (const std::string& attention : usual_variants())
    for (const double rate : {1e20, 1e30, 1e38}) {
      INFO(attention << " at rate " << rate);
      SmallRun run("copy", attention);
      run.options.learning_rate = rate;
      run.options.warmup_steps = 0;
      const Trainer trainer = run.trained();
      CHECK(trainer.status() == TrainStatus::diverged);
      CHECK(trainer.steps_done() < 12);
      CHECK(trainer.message().find("step " + std::to_string(trainer.steps_done() + 1)) !=
            std::string::npos);
      CHECK(trainer.message().find("finite") != std::string::npos);
    }
}

// Whatever the rate, a number that is not finite must not pass for a result.
TEST_CASE("a run says that it diverged, or all its weights are finite", "[property]") {
  const Threads one_thread(1);
  for (const char* attention : {"softmax", "asentmax"})
    for (double rate = 1e-2; rate < 1e38; rate *= 1e3) {
      INFO(attention << " at rate " << rate);
      SmallRun run("copy", attention);
      run.options.learning_rate = rate;
      run.options.warmup_steps = 0;
      run.options.steps = 6;
      const Trainer trainer = run.trained();
      if (trainer.status() == TrainStatus::diverged) continue;
      CHECK(std::isfinite(trainer.last_loss()));
      for (const float weight : trainer.weights()) REQUIRE(std::isfinite(weight));
    }
}

TEST_CASE("a diverged run stays diverged when it is loaded", "[unit]") {
  SmallRun run("copy");
  run.options.learning_rate = 1e30;
  const Trainer diverged = run.trained();
  Trainer loaded = run.trainer();
  loaded.load(diverged.save());
  CHECK(loaded.step() == TrainStatus::diverged);
  CHECK(loaded.message() == diverged.message());
}

TEST_CASE("training stops early once two validations in a row are perfect", "[unit]") {
  const Threads one_thread(1);  // steps this small are over before a second one wakes
  SmallRun run("copy:symbols=4", "softmax");
  run.options.train_length = 1;
  run.options.steps = 4000;
  run.options.validate_every = 20;
  run.options.validation_samples = 32;
  run.options.early_stop = true;
  const Trainer trainer = run.trained();
  CHECK(trainer.status() == TrainStatus::done);
  CHECK(trainer.steps_done() < 4000);
  CHECK(trainer.steps_done() >= 40);
  CHECK(trainer.steps_done() % 20 == 0);
  const Counts counts = evaluate(run.config, trainer.weights(), *run.task.task,
                                 {run.options.seed, Stream::validation, 1, 32})
                            .counts;
  CHECK(counts.exact == 32);

  // The count of perfect validations survives a save between the two.
  Trainer first = run.trainer();
  while (first.steps_done() < trainer.steps_done() - 10) first.step();
  Trainer second = run.trainer();
  second.load(first.save());
  while (second.step() == TrainStatus::running) {
  }
  CHECK(second.steps_done() == trainer.steps_done());

  run.options.early_stop = false;
  run.options.steps = trainer.steps_done() + 20;
  CHECK(run.trained().steps_done() == trainer.steps_done() + 20);
}

TEST_CASE("every variant learns what cannot be learned without attention", "[property]") {
  const Threads one_thread(1);  // steps this small are over before a second one wakes
  for (const Variant& named : every_model()) {
    const std::string &attention = named.attention, &position = named.position;
    INFO(attention << " under " << position);
    SmallRun run("copy:symbols=8", attention, position);
    run.options.train_length = 1;
    run.options.steps = 120;
    run.options.warmup_steps = 5;
    run.options.learning_rate = 1e-2;
    const double blind = loss_without_attention(run);
    CHECK(blind == Approx(std::log(8) / 2).epsilon(0.01));  // the symbol, not EOS
    CHECK(run.trained().last_loss() < 0.5 * blind);
  }
}
