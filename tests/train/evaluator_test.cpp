#include "train/evaluator.hpp"

#include <cmath>
#include <mutex>

#include "ops/cross_entropy.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"
#include "support/tokens.hpp"
#include "support/training.hpp"
#include "train/batch.hpp"

using namespace attnspan;

namespace {

/// A model that has learned some of its task: some samples are right and some wrong.
struct HalfTrained {
  SmallRun run;
  std::vector<float> weights;

  HalfTrained(const std::string& task, std::int64_t length, std::int64_t steps,
              const std::string& attention = "softmax", const std::string& position = "nape")
      : run(task, attention, position) {
    const Threads one_thread(1);  // steps this small are over before a second one wakes
    run.options.train_length = length;
    run.options.min_train_length = length;
    run.options.steps = steps;
    run.options.learning_rate = 1e-2;
    weights = weights_of(run.trained());
  }
};

PackedBatch packed(const Transformer<float>& model, const Sample& sample) {
  const BatchPacker packer(model.positions(), 0);
  PackedBatch batch;
  packer.clear(batch);
  packer.add(sample, 0, batch);
  return batch;
}

/// The most likely next token of a text, worked out from the text alone.
Token next_token(const Transformer<float>& model, const std::vector<float>& weights,
                 const std::vector<Token>& text) {
  Sample sample;
  sample.tokens = text;
  sample.tokens.push_back(0);  // never an input
  sample.answers = {static_cast<std::int32_t>(text.size())};
  const AlignedVector<float> logits = model.logits(weights, packed(model, sample));
  return static_cast<Token>(argmax(logits.data(), model.config().vocabulary));
}

/// Whether the model, writing every scored token itself and reading what it wrote, writes them all
/// right.
bool generates(const Transformer<float>& model, const std::vector<float>& weights,
               const Sample& sample) {
  const std::set<std::int32_t> scored(sample.answers.begin(), sample.answers.end());
  std::vector<Token> text;
  for (std::size_t p = 0; p < sample.tokens.size(); ++p)
    text.push_back(scored.count(static_cast<std::int32_t>(p)) ? next_token(model, weights, text)
                                                              : sample.tokens[p]);
  return text == sample.tokens;
}

/// A task that remembers the first random numbers that each of its samples was drawn from.
class Remembering final : public Task {
 public:
  struct Drawn {
    std::int64_t length;
    Purpose purpose;
    std::uint64_t numbers;
  };

  std::int32_t vocabulary_size() const override { return 7; }
  std::string token_name(Token token) const override { return "t" + std::to_string(token); }
  void check_length(std::int64_t) const override {}
  std::int64_t total_tokens(std::int64_t length, Purpose) const override { return length; }
  std::int64_t answer_tokens(std::int64_t, Purpose) const override { return 1; }
  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    Rng copy = rng;
    const std::uint64_t high = copy.next(), low = copy.next();
    {
      const std::lock_guard lock(mutex_);
      drawn_.push_back({length, purpose, high << 32 | low});
    }
    Sample sample;
    for (std::int64_t i = 0; i < length; ++i)
      sample.tokens.push_back(static_cast<Token>(rng.below(7)));
    sample.answers = {static_cast<std::int32_t>(length - 1)};
    sample.depth_decile = static_cast<int>(rng.below(10));
    return sample;
  }
  std::vector<Token> solve(std::span<const Token>,
                           std::span<const std::int32_t> answers) const override {
    return std::vector<Token>(answers.size(), -1);
  }
  double chance(std::int64_t) const override { return 1.0 / 7; }
  double token_chance() const override { return 1.0 / 7; }

  /// What was drawn since the last call.
  std::set<std::uint64_t> take() const {
    std::set<std::uint64_t> numbers;
    for (const Drawn& drawn : drawn_) numbers.insert(drawn.numbers);
    drawn_.clear();
    return numbers;
  }
  const std::vector<Drawn>& drawn() const { return drawn_; }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<Drawn> drawn_;
};

bool same_counts(const Counts& a, const Counts& b) {
  bool same = a.samples == b.samples && a.exact == b.exact && a.answer_tokens == b.answer_tokens &&
              a.right_tokens == b.right_tokens && a.depth.size() == b.depth.size();
  for (std::size_t i = 0; same && i < a.depth.size(); ++i)
    same = a.depth[i].samples == b.depth[i].samples && a.depth[i].exact == b.depth[i].exact;
  return same;
}

/// Holds every sample's outcome against greedy generation and counts those that are right.
void check_generation(const HalfTrained& found, const EvaluationRequest& request,
                      std::int64_t& exact, std::int64_t& samples) {
  INFO(found.run.task.label << " under " << found.run.config.attention << "/"
                            << found.run.config.position << " at length " << request.length);
  const Transformer<float> model(found.run.config);
  const Evaluated evaluated =
      evaluate(found.run.config, found.weights, *found.run.task.task, request);
  REQUIRE(std::ssize(evaluated.outcomes) == request.samples);
  for (std::int64_t index = 0; index < request.samples; ++index) {
    INFO("sample " << index);
    const Sample sample = evaluation_sample(*found.run.task.task, request, index);
    const bool generated = generates(model, found.weights, sample);
    CHECK(evaluated.outcomes[static_cast<std::size_t>(index)].exact == generated);
    exact += generated ? 1 : 0;
  }
  samples += request.samples;
}

/// A model that is always or never right would prove nothing.
void check_mixed(std::int64_t exact, std::int64_t samples) {
  CHECK(exact > samples / 20);
  CHECK(exact < samples - samples / 20);
}

}  // namespace

TEST_CASE("exact match is what greedy generation reaches, for every variant", "[property]") {
  for (const std::string& attention : every_alias()) {
    std::int64_t exact = 0, samples = 0;
    for (const char* position : {"nape", "rope", "nope"}) {
      // Without any encoding only where no other is allowed.
      const bool alone = !Variant{attention, "nape"}.allowed();
      if (alone != (std::string(position) == "nope")) continue;
      const HalfTrained copied("copy:symbols=8", 4, 150, attention, position);
      check_generation(copied, {3, Stream::test, 3, 60}, exact, samples);
      check_generation(copied, {3, Stream::test, 4, 60}, exact, samples);
    }
    INFO(attention);
    if (!compares_directions(attention)) check_mixed(exact, samples);
  }
}

TEST_CASE("exact match is what greedy generation reaches, in both layouts of recall",
          "[property]") {
  const std::string small = "recall:alphabet=4,key_length=1,value_length=2,queries=2";
  for (const std::string layout : {",training_queries=4", ",layout=grouped,training_queries=2"}) {
    const HalfTrained recalled(small + layout, 16, 250);
    std::int64_t exact = 0, samples = 0;
    check_generation(recalled, {3, Stream::test, 16, 150}, exact, samples);
    check_mixed(exact, samples);
  }
}

// Far more than the blocks of keys from which on evaluation leaves out what cannot matter.
TEST_CASE("exact match is what greedy generation reaches where keys are left out", "[property]") {
  const std::string few =
      "recall:alphabet=4,key_length=1,value_length=2,pairs=3,queries=1,training_queries=4";
  for (const char* attention : {"softmax", "asentmax"}) {
    const HalfTrained recalled(few, 40, 250, attention);
    std::int64_t exact = 0, samples = 0;
    check_generation(recalled, {3, Stream::test, 700, 40}, exact, samples);
    INFO(attention);
    check_mixed(exact, samples);
  }
}

TEST_CASE("counts are those of the logits that training sees", "[property]") {
  const HalfTrained found("copy:symbols=4", 3, 60);
  const Transformer<float> model(found.run.config);
  const EvaluationRequest request{3, Stream::validation, 5, 90};
  Counts expected;
  std::vector<std::int64_t> right_tokens;
  for (std::int64_t index = 0; index < request.samples; ++index) {
    const Sample sample = evaluation_sample(*found.run.task.task, request, index);
    const PackedBatch batch = packed(model, sample);
    const AlignedVector<float> logits = model.logits(found.weights, batch);
    std::int64_t right = 0;
    for (std::size_t i = 0; i < batch.targets.size(); ++i) {
      right += argmax(logits.data() + i * 7, 7) == batch.targets[i] ? 1 : 0;
      double sum = 0;
      for (std::size_t token = 0; token < 7; ++token)
        sum += std::exp(static_cast<double>(logits[i * 7 + token]));
      expected.log_likelihood +=
          static_cast<double>(logits[i * 7 + static_cast<std::size_t>(batch.targets[i])]) -
          std::log(sum);
    }
    right_tokens.push_back(right);
    const auto answers = static_cast<std::int64_t>(batch.targets.size());
    CHECK(answers == 6);
    ++expected.samples;
    expected.exact += right == answers ? 1 : 0;
    expected.answer_tokens += answers;
    expected.right_tokens += right;
  }
  const Evaluated evaluated =
      evaluate(found.run.config, found.weights, *found.run.task.task, request);
  const Counts& counts = evaluated.counts;
  CHECK(same_counts(counts, expected));
  CHECK(counts.log_likelihood == Approx(expected.log_likelihood).epsilon(1e-5));
  REQUIRE(evaluated.outcomes.size() == right_tokens.size());
  for (std::size_t i = 0; i < right_tokens.size(); ++i) {
    CHECK(evaluated.outcomes[i].right_tokens == right_tokens[i]);
    CHECK(evaluated.outcomes[i].exact == (right_tokens[i] == 6));
    CHECK(evaluated.outcomes[i].value == (right_tokens[i] == 6 ? 1.0 : 0.0));
  }
  CHECK(counts.right_tokens > 0);
  CHECK(counts.right_tokens < counts.answer_tokens);
}

// Short samples are spread over the threads; of long ones the rows are.
TEST_CASE("counts do not depend on the number of threads", "[property]") {
  const HalfTrained found("copy:symbols=4", 3, 60);
  for (const std::int64_t length : {3, 40, 1100}) {
    INFO("length " << length);
    const auto with_threads = [&](int count) {
      const Threads threads(count);
      return evaluate(found.run.config, found.weights, *found.run.task.task,
                      {3, Stream::test, length, length > 1000 ? 2 : 70})
          .counts;
    };
    const Counts one = with_threads(1);
    CHECK(one.right_tokens > 0);
    for (const int count : {2, 3, 4}) CHECK(same_counts(with_threads(count), one));
  }
}

TEST_CASE("depths are counted where a task has them", "[unit]") {
  const Remembering task;
  SmallRun run("copy");
  run.config.vocabulary = 7;
  const Transformer<float> model(run.config);
  const AlignedVector<float> weights = model.initial_parameters(1, 0);
  const EvaluationRequest request{1, Stream::test, 12, 300};
  const Counts counts = evaluate(run.config, weights, task, request).counts;
  std::vector<std::int64_t> expected(10);
  for (std::int64_t index = 0; index < request.samples; ++index)
    ++expected[static_cast<std::size_t>(evaluation_sample(task, request, index).depth_decile)];
  REQUIRE(counts.depth.size() == 10);
  std::int64_t exact = 0;
  for (std::size_t decile = 0; decile < 10; ++decile) {
    CHECK(counts.depth[decile].samples == expected[decile]);
    exact += counts.depth[decile].exact;
  }
  CHECK(exact == counts.exact);
  CHECK(exact > 0);
  CHECK(evaluate(run.config, weights, *make_task("copy:symbols=4").task, request)
            .counts.depth.empty());
}

TEST_CASE("shortcuts see the visible tokens of the very test samples", "[unit]") {
  // Copying: the first shortcut repeats what it sees, the second knows nothing.
  class Copy final : public Task {
   public:
    std::int32_t vocabulary_size() const override { return 7; }
    std::string token_name(Token token) const override { return std::to_string(token); }
    void check_length(std::int64_t) const override {}
    std::int64_t total_tokens(std::int64_t, Purpose) const override { return 3; }
    std::int64_t answer_tokens(std::int64_t, Purpose) const override { return 1; }
    Sample generate(Rng& rng, std::int64_t, Purpose) const override {
      const auto symbol = static_cast<Token>(rng.below(2));
      return {{symbol, 6, symbol}, {2}};
    }
    std::vector<Token> solve(std::span<const Token>, std::span<const std::int32_t>) const override {
      return {};
    }
    std::vector<Shortcut> shortcuts() const override {
      return {{"first token", "", [](auto hidden, auto) { return std::vector{hidden[0]}; }},
              {"always 1", "", [](auto, auto) { return std::vector<Token>{1}; }},
              {"peek", "", [](auto hidden, auto answers) {
                 return std::vector{hidden[static_cast<std::size_t>(answers[0])]};
               }}};
    }
    double chance(std::int64_t) const override { return 0.5; }
    double token_chance() const override { return 0.5; }
  };
  const Copy task;
  SmallRun run("copy");
  run.config.vocabulary = 7;
  const AlignedVector<float> weights = Transformer<float>(run.config).initial_parameters(1, 0);
  EvaluationRequest request{1, Stream::test, 1, 100};
  CHECK(evaluate(run.config, weights, task, request).shortcuts.empty());
  request.shortcuts = true;
  const std::vector<ShortcutScore> shortcuts =
      evaluate(run.config, weights, task, request).shortcuts;
  std::int64_t ones = 0;
  for (std::int64_t index = 0; index < 100; ++index)
    ones += evaluation_sample(task, request, index).tokens[0];
  REQUIRE(shortcuts.size() == 3);
  CHECK(shortcuts[0].name == "first token");
  CHECK(shortcuts[0].value == 1);
  CHECK(shortcuts[1].value == static_cast<double>(ones) / 100);
  CHECK(ones > 30);
  CHECK(ones < 70);
  CHECK(shortcuts[2].value == 0);
}

TEST_CASE("training, validation and test meet no sample of each other", "[property]") {
  const auto task = std::make_shared<Remembering>();
  SmallRun run("copy");
  run.config.vocabulary = 7;
  const Transformer<float> model(run.config);
  const AlignedVector<float> weights = model.initial_parameters(1, 0);
  std::set<std::uint64_t> all;
  std::size_t drawn = 0;
  const auto add = [&](std::size_t expected) {
    const std::set<std::uint64_t> numbers = task->take();
    CHECK(numbers.size() == expected);
    all.insert(numbers.begin(), numbers.end());
    drawn += expected;
  };
  for (const int replicate : {0, 1}) {
    run.options.replicate = replicate;
    Trainer trainer(run.config, task, run.options);
    task->take();
    for (int step = 0; step < 5; ++step) trainer.step();
    add(5 * 48);
  }
  for (const Stream stream : {Stream::validation, Stream::test})
    for (const std::int64_t length : {8, 9, 64}) {
      evaluate(run.config, weights, *task, {run.options.seed, stream, length, 50});
      add(50);
    }
  CHECK(all.size() == drawn);
}

TEST_CASE("every variant meets the same samples", "[property]") {
  const Remembering task;
  std::set<std::uint64_t> first;
  for (const std::string& attention : usual_variants())
    for (const int replicate : {0, 1}) {
      SmallRun run("copy", attention);
      run.config.vocabulary = 7;
      const Transformer<float> model(run.config);
      evaluate(run.config, model.initial_parameters(1, replicate), task,
               {run.options.seed, Stream::test, 8, 40});
      const std::set<std::uint64_t> numbers = task.take();
      CHECK(numbers.size() == 40);
      if (first.empty()) first = numbers;
      CHECK(numbers == first);
    }
}

TEST_CASE("training draws its lengths from the whole range", "[unit]") {
  const Threads one_thread(1);  // steps this small are over before a second one wakes
  const auto task = std::make_shared<Remembering>();
  SmallRun run("copy");
  run.config.vocabulary = 7;
  run.config.layers = 1;
  run.options.steps = 200;
  run.options.batch_size = 1;
  const auto lengths = [&](std::int64_t shortest, std::int64_t longest) {
    run.options.min_train_length = shortest;
    run.options.train_length = longest;
    Trainer trainer(run.config, task, run.options);
    task->take();
    while (trainer.step() == TrainStatus::running) {
    }
    std::set<std::int64_t> found;
    for (const Remembering::Drawn& drawn : task->drawn()) {
      CHECK(drawn.purpose == Purpose::training);
      found.insert(drawn.length);
    }
    task->take();
    return found;
  };
  CHECK(lengths(5, 8) == std::set<std::int64_t>{5, 6, 7, 8});
  CHECK(lengths(8, 8) == std::set<std::int64_t>{8});
  // None asked for: a quarter of the longest.
  CHECK(lengths(0, 8) == std::set<std::int64_t>{2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("a model gone bad is not finite instead of wrong", "[unit]") {
  const SmallRun run("copy");
  const Transformer<float> model(run.config);
  const EvaluationRequest request{1, Stream::test, 8, 3};
  AlignedVector<float> weights = model.initial_parameters(1, 0);
  CHECK(evaluate(run.config, weights, *run.task.task, request).finite);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
    AlignedVector<float> spoiled = weights;
    std::fill(spoiled.begin(), spoiled.begin() + model.config().vocabulary * 16, bad);
    const Evaluated evaluated = evaluate(run.config, spoiled, *run.task.task, request);
    CHECK_FALSE(evaluated.finite);
    CHECK(evaluated.counts.exact == 0);
  }
}

TEST_CASE("evaluation reports progress and stops when told to", "[unit]") {
  const SmallRun run("copy");
  const Transformer<float> model(run.config);
  const AlignedVector<float> weights = model.initial_parameters(1, 0);
  std::vector<std::int64_t> done;
  std::atomic<bool> stop{false};
  const Evaluated evaluated = evaluate(run.config, weights, *run.task.task,
                                       {1, Stream::test, 4, 200}, &stop, [&](std::int64_t samples) {
                                         done.push_back(samples);
                                         stop = samples >= 64;
                                       });
  REQUIRE(!done.empty());
  CHECK(done.front() <= 64);
  CHECK(evaluated.stopped);
  CHECK(evaluated.counts.samples < 200);
}
