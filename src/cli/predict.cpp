#include <cstdio>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/threads.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/rng.hpp"
#include "model/transformer.hpp"
#include "ops/cross_entropy.hpp"
#include "record/json.hpp"
#include "sweep/model_folder.hpp"

namespace attnspan {
namespace {

constexpr std::int64_t longest_sequence = std::int64_t{1} << 25;

struct PredictOptions {
  std::string path;
  std::optional<std::string> threads;
  bool logits = false;
};

/// A sequence and the positions at which a token is to be predicted from those before.
struct Question {
  std::vector<std::int32_t> tokens;
  std::vector<Index> rows;  ///< the positions less one: where the last token before stands
  Json answers;             ///< the positions, as they were asked for; null: all
};

std::vector<std::int64_t> read_integers(const Json& json, const std::string& what,
                                        std::int64_t least, std::int64_t most) {
  if (!json.is_array() || json.empty())
    throw InputError(what + " must be a list of whole numbers with one at least.");
  if (json.size() > static_cast<std::size_t>(longest_sequence))
    throw InputError(what + " has more than " + std::to_string(longest_sequence) + " numbers.");
  std::vector<std::int64_t> numbers;
  for (const Json& item : json) {
    const std::int64_t number = item.is_number_integer() ? item.get<std::int64_t>() : least - 1;
    if (number < least || number > most)
      throw InputError(what + " must have whole numbers from " + std::to_string(least) + " to " +
                       std::to_string(most) + ", not " + to_line(item).substr(0, 80) + ".");
    numbers.push_back(number);
  }
  return numbers;
}

/// [3, 1, 4] or {"tokens": [3, 1, 4], "answers": [2]}, whatever else an object may hold.
Question read_question(const std::string& text, const std::string& where, std::int32_t vocabulary) {
  const Json json = parse_json(text, where, false);
  if (json.is_object() && !json.contains("tokens"))
    throw InputError(where + ": an object must have \"tokens\".");
  Question question;
  const auto tokens = read_integers(json.is_object() ? json["tokens"] : json, where + ": tokens", 0,
                                    vocabulary - 1);
  question.tokens.assign(tokens.begin(), tokens.end());
  const auto count = static_cast<std::int64_t>(tokens.size());
  if (!json.is_object() || !json.contains("answers")) {
    question.rows.resize(tokens.size());
    std::iota(question.rows.begin(), question.rows.end(), Index{0});
    return question;
  }
  question.answers = json["answers"];
  for (const std::int64_t position :
       read_integers(question.answers, where + ": answers", 1, count)) {
    if (!question.rows.empty() && position - 1 <= question.rows.back())
      throw InputError(where + ": answers must be increasing positions.");
    question.rows.push_back(static_cast<Index>(position - 1));
  }
  return question;
}

/// The line that answers a question.
std::string answer(const Question& question, const std::string& where,
                   const Transformer<float>& model, const AlignedVector<float>& weights,
                   bool show_logits) {
  std::vector<Position> positions(question.tokens.size());
  Rng rng(0, Stream::positions);
  model.positions().assign(positions, rng);
  const AlignedVector<float> logits =
      model.stream_logits(weights, question.tokens, positions, question.rows, {});
  const Index vocabulary = model.config().vocabulary;
  Json line = Json::object();
  if (!question.answers.is_null()) line["answers"] = question.answers;
  Json& predictions = line["predictions"] = Json::array();
  Json all = Json::array();
  for (std::size_t i = 0; i < question.rows.size(); ++i) {
    const float* row = logits.data() + static_cast<Index>(i) * vocabulary;
    const Index guess = argmax(row, vocabulary);
    if (guess < 0) throw std::runtime_error(where + ": an output was not a finite number");
    predictions.push_back(guess);
    if (show_logits) all.push_back(std::vector<float>(row, row + vocabulary));
  }
  if (show_logits) line["logits"] = std::move(all);
  return to_line(line) + '\n';
}

int predict(const PredictOptions& options) {
  set_threads(read_threads(options.threads));
  const TrainedCell trained = load_trained_cell(options.path);
  const Transformer<float> model(trained.model);
  std::string text;
  for (std::int64_t number = 1; std::getline(std::cin, text); ++number) {
    const std::string where = "standard input, line " + std::to_string(number);
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Question question = read_question(text, where, trained.model.vocabulary);
    print(answer(question, where, model, trained.weights, options.logits));
  }
  if (std::cin.bad() || std::ferror(stdin)) throw FileError("cannot read standard input");
  return exit_ok;
}

}  // namespace

void add_predict(CLI::App& app, Command& command) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* predict_command =
      app.add_subcommand("predict", "Let a saved model go on with sequences from standard input");
  predict_command
      ->add_option("model", options->path, "A model file of attnspan sweep --save-models")
      ->required();
  predict_command->add_flag("--logits", options->logits, "Also the logits of every prediction");
  predict_command
      ->add_option("--threads", options->threads,
                   "Threads; results do not depend on them (default: all cores)")
      ->type_name("N");
  predict_command->footer(
      "A line of JSON in, a line of JSON out. A list of token numbers gets the likeliest next\n"
      "token after each of them. An object with \"tokens\" and \"answers\", as attnspan data\n"
      "--format jsonl writes it, gets the likeliest token at each of these positions, each from\n"
      "the tokens before it.\n"
      "\n"
      "Examples:\n"
      "  echo '[3, 1, 4, 1, 5]' | attnspan predict MODEL.safetensors --logits\n"
      "  attnspan data copy --length 64 --format jsonl | attnspan predict MODEL.safetensors");
  predict_command->callback(
      [options, &command] { command = [options] { return predict(*options); }; });
}

}  // namespace attnspan
