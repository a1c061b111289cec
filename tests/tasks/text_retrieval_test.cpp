// Retrieval in text: typed samples, what every form must keep, and its share of a text's training.

#include <cmath>
#include <map>
#include <regex>
#include <string>

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/containing.hpp"
#include "support/tokens.hpp"
#include "task/text_retrieval.hpp"
#include "task/text_source.hpp"
#include "train/trainer.hpp"

using namespace attnspan;

namespace {

NamedTask retrieval(const std::string& form) {
  return make_task("text-retrieval:form=" + form + ",file=" ATTNSPAN_TEXT);
}

/// Bytes as they stand, scored ones in brackets.
Sample typed_bytes(const std::string& text) {
  Sample sample;
  bool scored = false;
  for (const char byte : text) {
    if (byte == '[' || byte == ']') {
      scored = byte == '[';
      continue;
    }
    if (scored) sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
    sample.tokens.push_back(static_cast<unsigned char>(byte));
  }
  return sample;
}

std::string bytes_of(std::span<const Token> tokens) {
  std::string bytes;
  for (const Token token : tokens) bytes += token < 0 ? '?' : static_cast<char>(token);
  return bytes;
}

Sample draw(const Task& task, std::int64_t length, std::uint64_t index,
            Purpose purpose = Purpose::evaluation) {
  Rng rng(17, Stream::test, index);
  return task.generate(rng, length, purpose);
}

std::int64_t smallest_length(const Task& task) { return shortest_from(task, 1); }

/// A drawn sample taken apart again: the needles, what stands between them, and the question.
struct Parts {
  std::vector<std::string> needles, keys, values;
  std::vector<std::size_t> begins;
  std::string text, question;
};

Parts take_apart(const Sample& sample) {
  static const std::regex needle(
      R"( The sum of ([a-z0-9]+) is ([0-9a-f]+)\.| VAR ([A-Z]+) = (VAR [A-Z]+|[0-9]+)\.)");
  static const std::regex question(
      R"(( The sum of [a-z0-9]+ is [0-9a-f]+\.?)+$| The sums of [a-z]+ are [0-9 ]+$| All VAR = .*$)");
  const std::string bytes = bytes_of(sample.tokens);
  Parts parts;
  // The question begins at the last sentence of its kind before the first answer.
  const std::string before = bytes.substr(0, static_cast<std::size_t>(sample.answers.front()));
  std::size_t end = 0;
  for (const char* begin : {" The sum of ", " The sums of ", " All VAR = "})
    if (const std::size_t at = before.rfind(begin); at != std::string::npos)
      end = std::max(end, at);
  parts.question = bytes.substr(end);
  CHECK(std::regex_match(parts.question, question));
  const std::string haystack = bytes.substr(0, end);
  std::size_t done = 0;
  for (std::sregex_iterator it(haystack.begin(), haystack.end(), needle), last; it != last; ++it) {
    const auto at = static_cast<std::size_t>(it->position());
    parts.needles.push_back(it->str());
    parts.begins.push_back(at);
    parts.keys.push_back((*it)[1].matched ? (*it)[1] : (*it)[3]);
    parts.values.push_back((*it)[1].matched ? (*it)[2] : (*it)[4]);
    parts.text += haystack.substr(done, at - done);
    done = at + it->str().size();
  }
  parts.text += haystack.substr(done);
  return parts;
}

double chi_square(const std::map<std::size_t, int>& seen, std::size_t kinds, int all) {
  const double expected = all / static_cast<double>(kinds);
  double sum = 0;
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    const auto found = seen.find(kind);
    sum += std::pow((found == seen.end() ? 0 : found->second) - expected, 2) / expected;
  }
  return sum;
}

}  // namespace

TEST_CASE("text-retrieval: oracles answer typed text, and say where it stands", "[golden]") {
  const auto check = [](const char* form, const std::string& text, const char* place) {
    INFO(form << ": " << text);
    const NamedTask named = retrieval(form);
    const Sample sample = typed_bytes(text);
    CHECK(solved(*named.task, sample) == answers_of(sample));
    const std::vector<std::int32_t> evidence = named.task->evidence(sample, 1);
    REQUIRE(evidence.size() == 1);
    CHECK(text.find(place) + 1 == static_cast<std::size_t>(evidence[0]));
  };
  check("single-2", "and 7 said. The sum of ruth is 4821733. Then The sum of ruth is [4821733]",
        "4821733");
  check("single-3", " The sum of ruth is 0123456789abcdef. x The sum of ruth is [0123456789abcdef]",
        "0123456789abcdef");
  // Keys that begin alike, openings that are no needle, and the key in prose.
  check("multikey-1",
        "The sum of The sum of all is lost. The sum of ruths is 1111111. the sum of ruth is "
        "2222222. The sum of ruth is 3333333. The sum of boaz is 4444444. The sum of ruth is "
        "[3333333]",
        "3333333");
  check("multikey-3",
        " The sum of 0123456789abcdef is fedcba9876543210. The sum of 0123456789abcdee is "
        "0000000000000000. The sum of 0123456789abcdee is [0000000000000000]",
        "0000000000000000");
  check("multivalue",
        "a The sum of ruth is 3333333. b The sum of boaz is 4444444. The sum of ruth is 1111111. "
        "The sums of ruth are [3333333] [1111111]",
        "3333333");
  check("multiquery",
        "a The sum of ruth is 3333333. b The sum of boaz is 4444444. The sum of boaz is [4444444]. "
        "The sum of ruth is [3333333]",
        "4444444");
  check("variable-tracking",
        "VAR x VAR KQZ = 48217. In VAR ABC = 11111. the VAR MBT = VAR KQZ. VAR DEF = VAR ABC. and "
        "VAR GHI = VAR MBT. All VAR = 48217: [KQZ] [MBT] [GHI]",
        "KQZ");
}

TEST_CASE("text-retrieval: where the text does not say, the oracle does not know", "[golden]") {
  const auto unknown = [](const char* form, const std::string& text) {
    const Sample sample = typed_bytes(text);
    return solved(*retrieval(form).task, sample) == std::vector<Token>(sample.answers.size(), -1);
  };
  CHECK(unknown("single-2", " The sum of boaz is 4821733. The sum of ruth is [4821733]"));
  CHECK(unknown("multivalue", " The sum of boaz is 4821733. The sums of ruth are [4821733]"));
  CHECK(unknown("variable-tracking", " VAR KQZ = 48217. All VAR = 48216: [KQZ]"));
}

TEST_CASE("text-retrieval: every form fits a training length of 256 bytes, and says its least",
          "[property]") {
  for (const std::string& form : retrieval_forms()) {
    INFO(form);
    const NamedTask named = retrieval(form);
    const std::int64_t least = smallest_length(*named.task);
    CHECK(least <= 256);
    CHECK_THROWS_WITH(named.task->check_length(least - 1),
                      containing("use a length of at least " + std::to_string(least) + "."));
  }
}

TEST_CASE("text-retrieval: every form keeps its length, needles and part of the text",
          "[property]") {
  const TextParts parts = split_text(read_text(ATTNSPAN_TEXT));
  const std::map<std::string, std::size_t> needles{
      {"single-1", 1},   {"single-2", 1},   {"single-3", 1},         {"multikey-1", 4},
      {"multivalue", 4}, {"multiquery", 4}, {"variable-tracking", 5}};
  for (const std::string& form : retrieval_forms()) {
    const NamedTask named = retrieval(form);
    const Task& task = *named.task;
    for (const std::int64_t length : {smallest_length(task), std::int64_t{256}, std::int64_t{3000}})
      for (std::uint64_t index = 0; index < 30; ++index)
        for (const Purpose purpose : {Purpose::training, Purpose::evaluation}) {
          const Sample sample = draw(task, length, index, purpose);
          const Parts apart = take_apart(sample);
          INFO(form << " at " << length << ": " << bytes_of(sample.tokens));
          REQUIRE(std::ssize(sample.tokens) == length + 1);
          REQUIRE(std::ssize(sample.answers) == task.answer_tokens(length, purpose));
          REQUIRE(sample.answers.back() == length);
          REQUIRE(solved(task, sample) == answers_of(sample));
          REQUIRE(std::ssize(apart.needles) == task.quantities(length).at(0).value);

          const std::set<std::string> keys(apart.keys.begin(), apart.keys.end());
          REQUIRE(keys.size() == (form == "multivalue" ? 1 : apart.keys.size()));
          const bool asks_one = form.starts_with("single") || form.starts_with("multikey");
          REQUIRE((sample.depth_decile >= 0) == asks_one);
          for (std::size_t i = 0; i < apart.keys.size(); ++i) {
            const bool long_key = form == "multikey-3", long_value = long_key || form == "single-3";
            if (form == "variable-tracking") continue;
            REQUIRE(apart.values[i].size() == (long_value ? 16 : 7));
            if (long_key) REQUIRE(apart.keys[i].size() == 16);
            if (long_key) continue;
            REQUIRE((apart.keys[i].size() >= 4 && apart.keys[i].size() <= 8));
            REQUIRE(parts.training_part().find(apart.keys[i]) != std::string::npos);
          }

          if (const auto found = needles.find(form); found != needles.end()) {
            REQUIRE(apart.needles.size() == found->second);
          } else {  // all needles: no room for one more, and for the letters of longer words
            REQUIRE(apart.needles.size() >= 4);
            REQUIRE(apart.text.size() < (form == "multikey-3" ? 49 : 32 + 12));
          }
          const std::string_view part =
              purpose == Purpose::training ? parts.training_part() : parts.test_part();
          if (form != "single-1") REQUIRE(part.find(apart.text) != std::string::npos);
          if (form == "single-1" && length == 3000)  // one passage again and again
            REQUIRE(apart.text.find(apart.text.substr(0, 100), 1) < 200);
        }
  }
}

TEST_CASE("text-retrieval: chance is that of guessing the symbols of a value", "[unit]") {
  CHECK(retrieval("multikey-1").task->chance(256) == Approx(1e-7));
  CHECK(retrieval("multiquery").task->chance(256) == Approx(1e-28));
  CHECK(retrieval("single-3").task->chance(256) == Approx(std::pow(16.0, -16)));
  CHECK(retrieval("variable-tracking").task->chance(256) == Approx(std::pow(26.0, -15)));
  CHECK(retrieval("variable-tracking").task->token_chance() == Approx(1 / 26.0));
  std::map<std::size_t, int> digits;
  for (std::uint64_t index = 0; index < 1000; ++index)
    for (const Token token : answers_of(draw(*retrieval("single-2").task, 256, index)))
      ++digits[static_cast<std::size_t>(token - '0')];
  CHECK(chi_square(digits, 10, 7000) < 27.9);  // 99.9% point, 9 degrees of freedom
}

TEST_CASE("text-retrieval: what is asked for is anywhere, equally often", "[property]") {
  constexpr int samples = 4000;
  for (const char* form : {"single-1", "single-2", "single-3", "multikey-1"}) {
    const NamedTask named = retrieval(form);
    for (const std::int64_t length : {256, 2000}) {
      std::map<std::size_t, int> deciles, ranks;
      for (std::uint64_t index = 0; index < samples; ++index) {
        const Sample sample = draw(*named.task, length, index);
        const Parts apart = take_apart(sample);
        const std::string value = bytes_of(answers_of(sample));
        std::size_t rank = 0;
        while (apart.values.at(rank) != value) ++rank;
        ++ranks[rank];
        // From the bytes, not from what the sample says of itself.
        const std::size_t size = apart.needles[rank].size();
        const std::size_t last = sample.tokens.size() - apart.question.size() - size;
        const std::size_t decile = std::min<std::size_t>(9, 10 * apart.begins[rank] / (last + 1));
        REQUIRE(sample.depth_decile == static_cast<int>(decile));
        ++deciles[decile];
      }
      INFO(form << " at " << length);
      CHECK(chi_square(deciles, 10, samples) < 27.9);  // 99.9% point, 9 degrees of freedom
      const bool has_one = std::string(form).starts_with("single");
      CHECK(chi_square(ranks, has_one ? 1 : 4, samples) < (has_one ? 0.1 : 16.3));
    }
  }
  const NamedTask all = retrieval("multikey-2");
  std::map<std::size_t, int> ranks;
  std::size_t count = 0;
  for (std::uint64_t index = 0; index < samples; ++index) {
    const Sample sample = draw(*all.task, 256, index);
    const Parts apart = take_apart(sample);
    count = apart.needles.size();
    const std::string value = bytes_of(answers_of(sample));
    const auto found = std::find(apart.values.begin(), apart.values.end(), value);
    ++ranks[static_cast<std::size_t>(found - apart.values.begin())];
  }
  CHECK(count == 7);
  CHECK(chi_square(ranks, 7, samples) < 22.5);  // 99.9% point, 6 degrees of freedom
}

TEST_CASE("text-retrieval: keys are asked in any order, and their needles open at blanks",
          "[property]") {
  const NamedTask named = retrieval("multiquery");
  std::map<std::size_t, int> first;
  for (std::uint64_t index = 0; index < 2000; ++index) {
    const Sample sample = draw(*named.task, 1000, index);
    const Parts apart = take_apart(sample);
    const std::string asked = apart.question.substr(12, apart.question.find(" is ") - 12);
    const auto found = std::find(apart.keys.begin(), apart.keys.end(), asked);
    ++first[static_cast<std::size_t>(found - apart.keys.begin())];
    for (std::size_t i = 0; i < apart.needles.size(); ++i) {
      const std::size_t end = apart.begins[i] + apart.needles[i].size();
      const Token after = sample.tokens[end];
      if (apart.begins[i] > 0 && end + apart.question.size() < sample.tokens.size())
        REQUIRE((after == ' ' || after == '\n'));
    }
  }
  CHECK(chi_square(first, 4, 2000) < 16.3);  // 99.9% point, 3 degrees of freedom
}

TEST_CASE("text-retrieval: keys are the words in lower case of the training part", "[unit]") {
  const std::string text =
      "Solomon naomi's ruths, caf\xc3\xa9s kingdom\xc3\xa9 the unrighteous judge. the judge "
      "prophets "
      "KINGdom kings7 ";
  const RetrievalText found(
      std::make_shared<const TextParts>(split_text(text + std::string(text.size() / 3, '.'))));
  using Words = std::vector<std::string>;
  CHECK(found.words == decltype(found.words){Words{}, Words{"judge", "kings", "naomi", "ruths"},
                                             Words{}, Words{}, Words{"prophets"}});
}

// A text that tells of every key itself, but not in every window.
TEST_CASE("text-retrieval: the text does not answer the question", "[property]") {
  std::string text;
  for (const char* key : {"ruth", "naomi", "judges", "kingdom", "prophets"}) {
    text += std::string(" The sum of ") + key + " is as it is.";
    for (int i = 0; i < 40; ++i) text += " a b c d.";
  }
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += text;
  const auto words =
      std::make_shared<const RetrievalText>(std::make_shared<const TextParts>(split_text(bytes)));
  for (const char* form : {"single-2", "multivalue", "multiquery"}) {
    const std::unique_ptr<Task> task = make_text_retrieval(form, words);
    int told = 0;
    for (std::uint64_t index = 0; index < 200; ++index) {
      const Sample sample = draw(*task, 600, index);
      INFO(form << ": " << bytes_of(sample.tokens));
      REQUIRE(solved(*task, sample) == answers_of(sample));
      const Parts apart = take_apart(sample);
      for (const std::string& key : apart.keys)
        REQUIRE(apart.text.find("The sum of " + key + " is") == std::string::npos);
      told += apart.text.find("The sum of") != std::string::npos ? 1 : 0;
    }
    CHECK(told > 20);  // of other keys
  }
}

TEST_CASE("text-retrieval: shortcuts answer typed text with what they see", "[golden]") {
  const auto guesses = [](const char* form, const std::string& text) {
    const NamedTask named = retrieval(form);
    const Sample sample = typed_bytes(text);
    std::map<std::string, std::string> found;
    for (const Shortcut& shortcut : named.task->shortcuts())
      found[shortcut.name] = bytes_of(shortcut.solve(hide_answers(sample), sample.answers));
    return found;
  };
  using Guesses = std::map<std::string, std::string>;
  CHECK(
      guesses("multikey-1",
              " The sum of boaz is 1111111. The sum of ruth is 2222222. The sum of rain is "
              "3333333. The sum of lamb is 4444444. The sum of ruth is [2222222]") ==
      Guesses{{"first values", "1111111"}, {"last value", "4444444"}, {"first letter", "3333333"}});
  CHECK(guesses("multiquery",
                " The sum of boaz is 1111111. The sum of ruth is 2222222. The sum of ruth is "
                "[2222222]. The sum of boaz is [1111111]") ==
        Guesses{{"first values", "11111112222222"},
                {"last value", "22222222222222"},
                {"first letter", "22222221111111"}});
  CHECK(guesses("multivalue",
                " The sum of ruth is 1111111. The sum of ruth is 2222222. The sums of ruth are "
                "[1111111] [2222222]") == Guesses{{"first values", "11111112222222"},
                                                  {"last value", "22222222222222"},
                                                  {"first letter", "22222222222222"}});
  CHECK(guesses("variable-tracking",
                " VAR ABC = 11111. VAR KQZ = 48217. VAR MBT = VAR KQZ. All VAR = 48217: [KQZ] "
                "[MBT]") == Guesses{{"no hops", "KQZKQZ"}});
}

TEST_CASE("a share of a text's training batches is retrieval, each form equally often",
          "[property]") {
  const NamedTask plain = make_task("text:file=" ATTNSPAN_TEXT);
  const NamedTask mixed = make_task("text:mix=0.2,file=" ATTNSPAN_TEXT);
  CHECK(mixed.label == "text:file=" ATTNSPAN_TEXT ",mix=0.2");
  std::map<const Task*, int> drawn;
  constexpr int batches = 20000;
  for (std::uint64_t step = 0; step < batches; ++step) {
    Rng rng(3, Stream::batch_shape, step), other = rng;
    REQUIRE(&plain.task->of_batch(rng) == plain.task.get());
    ++drawn[&mixed.task->of_batch(other)];
  }
  const int text = drawn[mixed.task.get()];
  CHECK(text / static_cast<double>(batches) == Approx(0.8).margin(0.0114));  // four deviations
  drawn.erase(mixed.task.get());
  REQUIRE(drawn.size() == 9);
  std::map<std::size_t, int> forms;
  for (const auto& [task, count] : drawn) {
    forms.emplace(forms.size(), count);
    CHECK(task->vocabulary_size() == mixed.task->vocabulary_size());
    CHECK(task->total_tokens(256, Purpose::training) ==
          mixed.task->total_tokens(256, Purpose::training));
    CHECK(task->answer_tokens(256, Purpose::training) < 64);
  }
  CHECK(chi_square(forms, 9, batches - text) < 26.1);  // 99.9% point, 8 degrees of freedom

  CHECK_NOTHROW(mixed.task->check_length(256));
  CHECK_THROWS_WITH(mixed.task->check_length(120), containing("use a length of at least"));
  CHECK_NOTHROW(plain.task->check_length(120));
}

TEST_CASE("a model learns from what is mixed into its text", "[unit]") {
  ModelConfig config;
  config.vocabulary = 256;
  config.layers = 1;
  config.heads = 2;
  config.d_model = 16;
  config.d_ff = 16;
  config.train_tokens = 257;
  TrainingOptions options;
  options.steps = 4;
  options.batch_size = 2;
  options.train_length = options.min_train_length = 256;
  options.validate_every = 100;
  const auto trained = [&](const std::string& task) {
    Trainer trainer(config, make_task(task).task, options);
    while (trainer.step() == TrainStatus::running) {
    }
    return std::vector<float>(trainer.weights().begin(), trainer.weights().end());
  };
  const std::string text = "text:file=" ATTNSPAN_TEXT;
  const std::vector<float> plain = trained(text);
  CHECK(trained(text + ",mix=0") == plain);
  CHECK(trained(text + ",mix=1") != plain);
  CHECK(trained(text + ",mix=1") == trained(text + ",mix=1"));
}
