#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/part.hpp"
#include "core/rng.hpp"
#include "record/metric.hpp"
#include "record/quantity.hpp"

namespace attnspan {

using Token = std::int32_t;

/// One sequence and the part of it that is scored.
struct Sample {
  std::vector<Token> tokens;          ///< prompt and answers, in order
  std::vector<std::int32_t> answers;  ///< increasing positions p > 0: what belongs there is scored,
                                      ///< and is predicted from tokens[0 .. p-1]
  std::vector<Token> targets = {};    ///< what belongs at each answer where that is a label beside
                                      ///< the tokens; empty where it is tokens[p] itself
  int depth_decile = -1;              ///< 0 (start) .. 9 (end) where the task hides one thing to be
                                      ///< found, else -1

  /// What belongs at the i-th answer.
  Token target(std::size_t i) const {
    return targets.empty() ? tokens[static_cast<std::size_t>(answers[i])] : targets[i];
  }
};

/// The tokens as a solver sees them: -1 where they are answers themselves.
std::vector<Token> hide_answers(const Sample& sample);

/// How many samples of one length there are where a task does not draw them but has them.
struct StoredSamples {
  std::int64_t length = 0;
  std::int64_t count = 0;
};

/// What a sample is drawn for; a task may ask more questions of a training sample.
enum class Purpose { training, evaluation };

/// A way to answer that sees only part of what a task asks for: repeat the previous token, match
/// one token of the key. What it scores is what a model may have learned instead of the task.
struct Shortcut {
  std::string name;     ///< in results: "last key token"
  std::string summary;  ///< one line
  /// An answer to every answer position, from the tokens that the oracle sees (hide_answers).
  /// Thread-safe, and linear or nearly so in the tokens.
  std::function<std::vector<Token>(std::span<const Token> hidden,
                                   std::span<const std::int32_t> answers)>
      solve;
  /// Instead of `solve` where the task is judged by likelihood: the probability that `next` follows
  /// these tokens. Thread-safe.
  std::function<double(std::span<const Token> before, Token next)> probability = {};
};

/// A wrong answer that a sample suggests.
struct Lure {
  Token token = -1;
  double weight = 0;        ///< how often one who guesses among what the sample has draws it
  std::uint32_t kinds = 0;  ///< bit k: it is of the k-th kind
};

/// The kinds of wrong answers that a task tells apart. An answer may be of several kinds.
struct Confusions {
  std::vector<std::string> kinds;  ///< in results: "shares the first key token"
  std::string otherwise;           ///< the kind of whatever is no lure: "no value of this sample"
  std::string guess;  ///< what random wrong answers are drawn from: "the values of the sample"
  /// The lures of one answer of a sample, each token once; the right one may be among them.
  /// Thread-safe, and linear or nearly so in the tokens.
  std::function<std::vector<Lure>(const Sample& sample, std::size_t answer)> lures;
};

/// A synthetic task: a generator, an oracle that knows nothing of the generator, and the figures
/// that results are read against. Immutable and thread-safe.
class Task {
 public:
  virtual ~Task() = default;

  /// Number of distinct tokens; tokens are 0 .. vocabulary_size()-1.
  virtual std::int32_t vocabulary_size() const = 0;

  /// Readable name of one token, without spaces.
  virtual std::string token_name(Token token) const = 0;

  /// Throws InputError with what to change when no sample of this length exists. `length` is the
  /// task's own measure n (symbols to copy, haystack tokens), the one that multiples multiply.
  virtual void check_length(std::int64_t length) const = 0;

  /// Upper bound on tokens in one sample of this length.
  virtual std::int64_t total_tokens(std::int64_t length, Purpose purpose) const = 0;

  /// Upper bound on scored tokens in one sample of this length.
  virtual std::int64_t answer_tokens(std::int64_t length, Purpose purpose) const = 0;

  /// Draws one sample. Precondition: check_length(length) passes.
  virtual Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const = 0;

  /// The oracle: what belongs at the `answers` positions, worked out from the tokens alone as
  /// hide_answers() leaves them. In the order of `answers`; -1 where the visible tokens do not
  /// determine one.
  virtual std::vector<Token> solve(std::span<const Token> hidden,
                                   std::span<const std::int32_t> answers) const = 0;

  /// What learning by heart would give; none by default.
  virtual std::vector<Shortcut> shortcuts() const { return {}; }

  /// Where in a sample the tokens stand that hold one of its answers: where a model must have
  /// looked. Nothing where a task does not say.
  virtual std::vector<std::int32_t> evidence(const Sample& /*sample*/,
                                             std::size_t /*answer*/) const {
    return {};
  }

  /// How wrong answers are told apart; not at all by default.
  virtual std::optional<Confusions> confusions() const { return {}; }

  /// The figure that the task is judged by.
  virtual const Metric& metric() const { return exact_match(); }

  /// Probability that answers drawn uniformly from the symbols an answer can hold are all right.
  virtual double chance(std::int64_t length) const = 0;

  /// The same for one answer token.
  virtual double token_chance() const = 0;

  /// Of a task that has its samples: those of a stream, shorter ones first. Nothing where samples
  /// are drawn, as many as are asked for.
  virtual std::vector<StoredSamples> stored(Stream /*stream*/) const { return {}; }

  /// How many samples of this length a task has, where it has them; nothing where samples are
  /// drawn. A task that has some of every length overrides it.
  virtual std::optional<std::int64_t> stored_count(Stream stream, std::int64_t length) const;

  /// The index-th of these. Precondition: there is one.
  virtual Sample stored_sample(Stream /*stream*/, std::int64_t /*length*/,
                               std::int64_t /*index*/) const {
    return {};
  }

  /// What a batch of training samples is drawn from: this task, or another one with no more tokens
  /// of no other kinds. `rng` is the batch's own.
  virtual const Task& of_batch(Rng& /*rng*/) const { return *this; }

  /// Of a task that reads data: a hash of their bytes, part of its resolved text.
  virtual std::optional<std::uint64_t> data_hash() const { return {}; }

  /// What an evaluation sample of this length holds: how many pairs or needles, say. Length and
  /// crowding are two questions, so both are reported.
  virtual std::vector<Quantity> quantities(std::int64_t /*length*/) const { return {}; }
};

/// How many samples of these there are to be had. Throws InputError where a task that has its
/// samples has none of this stream and length.
std::int64_t available_samples(const Task& task, Stream stream, std::int64_t length,
                               std::int64_t asked_for);

/// The largest length that any task takes: positions and token counts stay within 32 bits.
inline constexpr std::int64_t longest_length = 16'777'216;

/// Throws InputError unless 1 <= length <= longest_length.
void check_length_range(std::string_view task, std::int64_t length);

/// One line of the task catalog.
struct TaskEntry : Part {
  std::function<std::unique_ptr<Task>(const Arguments&)> make;
};

/// Every task that has a file in tasks/, by name. The definition is generated by CMake.
std::span<const TaskEntry> task_catalog();

/// A task together with the text that names it.
struct NamedTask {
  std::string label;     ///< name and the parameters that differ from their defaults
  std::string resolved;  ///< name and every parameter
  std::shared_ptr<const Task> task;
};

/// Sixteen hexadecimal digits, as a resolved text has them.
std::string hash_digits(std::uint64_t hash);

/// Builds a task from "name" or "name:parameter=value,parameter=value". One that reads data takes
/// "hash=DIGITS" beside its parameters, and is refused where its data are others. Throws
/// InputError, and FileError where data cannot be read.
NamedTask make_task(std::string_view text);

/// NamedTask::resolved of a text that an earlier program wrote: parameters that its task has got
/// since stand at their defaults. The text itself where it names no task of the catalog.
std::string resolve_task(std::string_view text);

}  // namespace attnspan
