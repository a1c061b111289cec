#include "train/trainer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <sstream>
#include <type_traits>

#include "core/error.hpp"
#include "core/names.hpp"
#include "core/parallel.hpp"
#include "model/transformer.hpp"
#include "ops/engine.hpp"
#include "train/batch.hpp"
#include "train/division.hpp"
#include "train/evaluator.hpp"
#include "train/optimizer.hpp"

namespace attnspan {
namespace {

/// Writes and reads plain values one after another.
class Writer {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const AlignedVector<float>& values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  void put(const std::vector<CurvePoint>& points) {
    put(static_cast<std::uint64_t>(points.size()));
    for (const CurvePoint& point : points) put(point);
  }
  void put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  void get(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
  }
  void get(AlignedVector<float>& values) {
    const std::size_t size = values.size() * sizeof(float);
    const std::string_view from = take(size);
    if (size > 0) std::memcpy(values.data(), from.data(), size);
  }
  void get(std::vector<CurvePoint>& points) {
    std::uint64_t size = 0;
    get(size);
    if (size > bytes_.size() / sizeof(CurvePoint)) refuse_as_cut_short();
    points.resize(size);
    for (CurvePoint& point : points) get(point);
  }
  void get(std::string& text) {
    std::uint64_t size = 0;
    get(size);
    text = take(size);
  }
  bool empty() const { return bytes_.empty(); }

 private:
  [[noreturn]] static void refuse_as_cut_short() {
    throw InputError("the training state is cut short.");
  }
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) refuse_as_cut_short();
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  std::string_view bytes_;
};

/// Text that two trainers share exactly when their steps would be the same.
std::string fingerprint(const ModelConfig& c, const Task& task, const TrainingOptions& o) {
  std::ostringstream text;
  text << "attnspan training state 3;";
  for (const std::int64_t value :
       {c.layers, c.heads, c.d_model, c.d_ff, std::int64_t{c.vocabulary}, c.train_tokens,
        c.head_width, std::int64_t{c.query_key_norm}, std::int64_t{c.output_norm}, o.train_length,
        o.min_train_length, o.steps, o.batch_size, o.warmup_steps, o.validate_every,
        o.validation_samples, std::int64_t{o.replicate}, std::int64_t{o.early_stop},
        task.total_tokens(o.train_length, Purpose::training)})
    text << value << ';';
  for (const double value : {o.learning_rate, o.final_learning_rate, o.weight_decay, o.beta1,
                             o.beta2, o.clip, o.weight_average, c.dropout})
    text << shortest(value) << ';';
  text << o.seed << ';' << c.attention << ';' << c.position << ';' << c.output_gate << ';'
       << c.feed_forward;
  // Two tasks may have as many tokens of as many kinds; their samples differ.
  for (const Token token : training_sample(task, o.seed, 0, 0, o.train_length).tokens)
    text << ';' << token;
  return text.str();
}

}  // namespace

Sample training_sample(const Task& task, std::uint64_t seed, int replicate, std::uint64_t index,
                       std::int64_t length) {
  Rng rng(seed, Stream::train, index, static_cast<std::uint64_t>(replicate));
  return task.generate(rng, length, Purpose::training);
}

/// What later steps depend on, apart from the arrays.
struct Counters {
  std::int64_t steps = 0, tokens = 0, perfect_validations = 0;
  double last_loss = 0, mean_loss = 0, mean_weight = 0;
  TrainStatus status = TrainStatus::running;
};

struct Trainer::State {
  State(const ModelConfig& config, std::shared_ptr<const Task> task_,
        const TrainingOptions& options_)
      : model(config),
        task(std::move(task_)),
        options(options_),
        packer(model.positions(), options_.seed, options_.replicate),
        optimizer(model.tensors(), model.parameter_count(),
                  {options_.beta1, options_.beta2, options_.weight_decay, options_.clip,
                   options_.weight_average}),
        weights(model.initial_parameters(options_.seed, options_.replicate)) {
    for (const PlacedTensor& tensor : model.tensors())
      if (!tensor.spec.product) others += static_cast<std::size_t>(tensor.spec.size());
  }

  std::int64_t shortest_length() const {
    if (options.min_train_length > 0) return options.min_train_length;
    return std::max<std::int64_t>(1, options.train_length / 4);
  }

  /// The length of this step's batch.
  std::int64_t draw_length(Rng& rng) const {
    const std::int64_t shortest = shortest_length();
    return shortest + rng.below(static_cast<std::uint32_t>(options.train_length - shortest + 1));
  }

  struct BatchSums {
    double loss = 0;
    std::int64_t tokens = 0, answers = 0;
  };

  struct Local;
  BatchSums add_samples(const Task& source, std::int64_t length, Index begin, Index end,
                        Index micro_batch, Local& local, AlignedVector<float>& gradient);
  template <class Work>
  void add_separately(AlignedVector<float>& gradient, AlignedVector<float>& apart,
                      const Work& work) const;
  BatchSums accumulate();
  void diverge(const std::string& what);
  double mean_loss() const;
  void validate(double learning_rate, double gradient_norm);

  Transformer<float> model;
  std::shared_ptr<const Task> task;
  TrainingOptions options;
  BatchPacker packer;
  Optimizer optimizer;
  AlignedVector<float> weights;
  std::size_t others = 0;  ///< of these, the ones whose gradient is no product
  Counters counters;
  std::string message;
  std::vector<CurvePoint> curve;

  std::vector<AlignedVector<float>> blocks;  ///< gradients of blocks of units
  struct Local {
    PackedBatch batch;
    Workspace<float> workspace;
    std::vector<AlignedVector<float>> sums;  ///< a gradient a level of the tree
    AlignedVector<float> apart;
  };
  std::vector<Local> locals;
};

/// Adds the gradient of the samples from `begin` to `end`.
Trainer::State::BatchSums Trainer::State::add_samples(const Task& source, std::int64_t length,
                                                      Index begin, Index end, Index micro_batch,
                                                      Local& local,
                                                      AlignedVector<float>& gradient) {
  BatchSums sums;
  for (Index first = begin; first < end; first += micro_batch) {
    packer.clear(local.batch);
    for (Index i = first; i < std::min(end, first + micro_batch); ++i) {
      const auto index = static_cast<std::uint64_t>(counters.steps * options.batch_size + i);
      packer.add(training_sample(source, options.seed, options.replicate, index, length), index,
                 local.batch);
    }
    sums.loss += model.loss_and_gradient(weights, local.batch, local.workspace, gradient);
    sums.tokens += local.batch.rows();
    sums.answers += static_cast<std::int64_t>(local.batch.targets.size());
  }
  return sums;
}

/// Lets `work` add one micro-batch to the gradient as though it had begun at zero and was added
/// then: products are added in one piece as it is, and what else there is begins at zero.
template <class Work>
void Trainer::State::add_separately(AlignedVector<float>& gradient, AlignedVector<float>& apart,
                                    const Work& work) const {
  const auto for_others = [&](auto act) {
    Index at = 0;
    for (const auto& [spec, offset] : model.tensors()) {
      if (spec.product) continue;
      act(gradient.data() + offset, apart.data() + at, spec.size());
      at += spec.size();
    }
  };
  apart.resize(others);
  for_others([](float* numbers, float* kept, Index count) {
    std::copy_n(numbers, count, kept);
    std::fill_n(numbers, count, 0.0f);
  });
  work();
  for_others([](float* numbers, const float* kept, Index count) {
    kernels<float>().add(kept, count, numbers);
  });
}

/// Forward and backward over the whole batch; gradients of the summed loss end in the blocks.
Trainer::State::BatchSums Trainer::State::accumulate() {
  Rng rng(options.seed, Stream::batch_shape, static_cast<std::uint64_t>(counters.steps),
          static_cast<std::uint64_t>(options.replicate));
  const std::int64_t length = draw_length(rng);
  const Task& source = task->of_batch(rng);
  const BatchDivision division(options.batch_size,
                               std::max<Index>(1, task->total_tokens(length, Purpose::training)));
  const Index units = division.units;
  const Index block_size = division.block_size(threads());
  blocks.resize(static_cast<std::size_t>((units + block_size - 1) / block_size));
  locals.resize(static_cast<std::size_t>(threads()));
  std::vector<BatchSums> sums(static_cast<std::size_t>(units));

  parallel_for(static_cast<Index>(blocks.size()), [&](Index block) {
    Local& local = locals[static_cast<std::size_t>(thread_number())];
    local.sums.resize(
        static_cast<std::size_t>(std::bit_width(static_cast<std::size_t>(block_size))));
    const auto add_unit = [&](Index unit, AlignedVector<float>& gradient) {
      sums[static_cast<std::size_t>(unit)] =
          add_samples(source, length, division.begin(unit), division.begin(unit + 1),
                      division.micro_batch, local, gradient);
    };
    // The tree over `count` units, or as many as there are; count is a power of two.
    const auto sum = [&](const auto& self, Index first, Index count, std::size_t level) -> void {
      AlignedVector<float>& gradient = local.sums[level];
      if (count == 1) {
        gradient.assign(weights.size(), 0.0f);
        add_unit(first, gradient);
        return;
      }
      const Index half = count / 2, second = first + half;
      self(self, first, half, level);
      if (second >= units) return;
      if (half == 1 && division.is_one_micro_batch(second)) {
        add_separately(gradient, local.apart, [&] { add_unit(second, gradient); });
        return;
      }
      self(self, second, half, level + 1);
      kernels<float>().add(local.sums[level + 1].data(), static_cast<Index>(gradient.size()),
                           gradient.data());
    };
    sum(sum, block * block_size, block_size, 0);
    std::swap(local.sums[0], blocks[static_cast<std::size_t>(block)]);
  });
  BatchSums total;
  for (const BatchSums& unit : sums) {
    total.loss += unit.loss;
    total.tokens += unit.tokens;
    total.answers += unit.answers;
  }
  return total;
}

void Trainer::State::diverge(const std::string& what) {
  counters.status = TrainStatus::diverged;
  message = what + " at step " + std::to_string(counters.steps + 1) + " is not a finite number";
}

double Trainer::State::mean_loss() const {
  return counters.mean_weight > 0 ? counters.mean_loss / counters.mean_weight : 0;
}

/// Adds a point to the curve, and counts how many validations in a row were perfect.
void Trainer::State::validate(double learning_rate, double gradient_norm) {
  const Counts counts =
      evaluate(model.config(), optimizer.average().empty() ? weights : optimizer.average(), *task,
               {.seed = options.seed,
                .stream = Stream::validation,
                .length = options.train_length,
                .samples = available_samples(*task, Stream::validation, options.train_length,
                                             options.validation_samples),
                .replicate = options.replicate,
                .last = options.train_length})
          .counts;
  counters.perfect_validations =
      counts.exact == counts.samples ? counters.perfect_validations + 1 : 0;
  curve.push_back({counters.steps, mean_loss(), learning_rate, gradient_norm,
                   static_cast<double>(counts.exact) / static_cast<double>(counts.samples),
                   task->metric().is_likelihood ? task->metric().of(counts) : 0.0});
}

Trainer::Trainer(const ModelConfig& config, std::shared_ptr<const Task> task,
                 const TrainingOptions& options)
    : state_(std::make_unique<State>(config, std::move(task), options)) {
  state_->task->check_length(state_->shortest_length());
  state_->task->check_length(options.train_length);
}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;

TrainStatus Trainer::step() {
  State& s = *state_;
  Counters& counters = s.counters;
  if (counters.status != TrainStatus::running) return counters.status;

  const State::BatchSums sums = s.accumulate();
  const double answers = static_cast<double>(std::max<std::int64_t>(1, sums.answers));
  counters.last_loss = sums.loss / answers;
  if (!std::isfinite(counters.last_loss)) {
    s.diverge("the loss");
    return counters.status;
  }
  const double norm = s.optimizer.reduce(s.blocks, static_cast<float>(1 / answers));
  if (!std::isfinite(norm)) {
    s.diverge("the gradient");
    return counters.status;
  }
  const TrainingOptions& options = s.options;
  const double learning_rate = scheduled_rate(options.learning_rate, counters.steps, options.steps,
                                              options.warmup_steps, options.final_learning_rate);
  s.optimizer.update(s.weights, s.blocks[0], norm, learning_rate, counters.steps);
  constexpr double memory = 0.98;
  counters.mean_loss = memory * counters.mean_loss + (1 - memory) * counters.last_loss;
  counters.mean_weight = memory * counters.mean_weight + (1 - memory);
  counters.tokens += sums.tokens;
  ++counters.steps;
  if (counters.steps % options.validate_every == 0) s.validate(learning_rate, norm);
  if (counters.steps >= options.steps || (options.early_stop && counters.perfect_validations >= 2))
    counters.status = TrainStatus::done;
  return counters.status;
}

TrainStatus Trainer::status() const { return state_->counters.status; }
std::string Trainer::message() const { return state_->message; }
std::int64_t Trainer::steps_done() const { return state_->counters.steps; }
std::int64_t Trainer::tokens_seen() const { return state_->counters.tokens; }
double Trainer::last_loss() const { return state_->counters.last_loss; }

double Trainer::mean_loss() const { return state_->mean_loss(); }
const std::vector<CurvePoint>& Trainer::curve() const { return state_->curve; }

std::span<const float> Trainer::weights() const {
  const AlignedVector<float>& average = state_->optimizer.average();
  return average.empty() ? state_->weights : average;
}

std::string Trainer::save() const {
  State& s = *state_;
  Writer writer;
  writer.put(fingerprint(s.model.config(), *s.task, s.options));
  writer.put(s.counters);
  writer.put(s.message);
  writer.put(s.curve);
  writer.put(s.weights);
  writer.put(s.optimizer.first_moment());
  writer.put(s.optimizer.second_moment());
  writer.put(s.optimizer.average());
  return writer.take();
}

void Trainer::load(std::string_view bytes) {
  State& s = *state_;
  Reader reader(bytes);
  std::string print, message;
  reader.get(print);
  if (print != fingerprint(s.model.config(), *s.task, s.options))
    throw InputError("the training state belongs to another model, task or training spec.");
  Counters counters;
  reader.get(counters);
  reader.get(message);
  std::vector<CurvePoint> curve;
  reader.get(curve);
  AlignedVector<float> weights(s.weights.size()), first(s.weights.size()), second(s.weights.size()),
      average(s.optimizer.average().size());
  reader.get(weights);
  reader.get(first);
  reader.get(second);
  reader.get(average);
  if (!reader.empty()) throw InputError("the training state is longer than it should be.");
  if (counters.steps < 0 || counters.steps > s.options.steps || counters.tokens < 0 ||
      counters.perfect_validations < 0 || counters.status < TrainStatus::running ||
      counters.status > TrainStatus::diverged)
    throw InputError("the training state has counts that cannot be.");
  s.counters = counters;
  s.message = std::move(message);
  s.curve = std::move(curve);
  s.weights = std::move(weights);
  s.optimizer.first_moment() = std::move(first);
  s.optimizer.second_moment() = std::move(second);
  s.optimizer.average() = std::move(average);
}

}  // namespace attnspan
