#include "task/text_retrieval.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/haystack.hpp"
#include "task/text_bytes.hpp"

namespace attnspan {
namespace {

enum class Haystack { noise, text, needles };
enum class Ask { one, all_values, all_keys, variables };

/// RULER's form in sentences short enough that 256 bytes hold any. Of a needle
/// ` The sum of ruth is 4821733.` the question is its repetition up to the value; several values of
/// one key are asked for by ` The sums of ruth are `. A long key or value has 16 hexadecimal
/// digits: with UUIDs, as RULER has them, of 36, there would be no room for four needles.
struct Form {
  const char* name;
  Haystack haystack;
  std::int64_t needles;  ///< 0: as many as there is room for
  Ask ask;
  bool long_keys, long_values;
};

constexpr Form forms[] = {
    {"single-1", Haystack::noise, 1, Ask::one, false, false},
    {"single-2", Haystack::text, 1, Ask::one, false, false},
    {"single-3", Haystack::text, 1, Ask::one, false, true},
    {"multikey-1", Haystack::text, 4, Ask::one, false, false},
    {"multikey-2", Haystack::needles, 0, Ask::one, false, false},
    {"multikey-3", Haystack::needles, 0, Ask::one, true, true},
    {"multivalue", Haystack::text, 4, Ask::all_values, false, false},
    {"multiquery", Haystack::text, 4, Ask::all_keys, false, false},
    {"variable-tracking", Haystack::text, 5, Ask::variables, false, false},
};

constexpr std::int64_t fewest_needles = 4;  // of a haystack that is all needles
constexpr std::size_t short_value = 7, long_word = 16, given_value = 5, variable_name = 3;
constexpr std::string_view digits = "0123456789", hexadecimal = "0123456789abcdef",
                           capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view opening = " The sum of ", is = " is ", opening_of_all = " The sums of ",
                           are = " are ", variable = " VAR ", equals = " = ",
                           opening_of_variables = " All VAR = ";

/// What single-1 hides its needle in, again and again.
constexpr std::string_view noise =
    " Rain falls on the hill and runs down to the sea. Wind turns the leaves and is gone. Night "
    "comes, then day again.";

std::string random_text(Rng& rng, std::string_view symbols, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i)
    text += symbols[rng.below(static_cast<std::uint32_t>(symbols.size()))];
  return text;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::int64_t bytes_in(const std::vector<std::string>& texts) {
  std::int64_t count = 0;
  for (const std::string& text : texts) count += std::ssize(text);
  return count;
}

/// A sample without its haystack.
struct Hidden {
  std::vector<std::string> needles;   ///< in the order in which they are told
  std::size_t asked = 0;              ///< of these, where one is asked for
  std::vector<std::string> question;  ///< shown and scored, in turn
  /// What the text must not have, as it would be another answer; without the blank before, which a
  /// text that begins here lacks.
  std::vector<std::string> marks;

  std::int64_t bytes() const { return bytes_in(needles) + bytes_in(question); }
};

/// The place nearest to this one where a text may be opened: its ends, and before a blank.
std::size_t nearest_blank(std::string_view text, std::size_t place) {
  const auto is_open = [&](std::size_t p) {
    return p == 0 || p == text.size() || text[p] == ' ' || text[p] == '\n';
  };
  for (std::size_t away = 0;; ++away) {
    if (away <= place && is_open(place - away)) return place - away;
    if (place + away <= text.size() && is_open(place + away)) return place + away;
  }
}

/// A needle or statement as one who sees the bytes reads it.
struct Told {
  std::string_view key, taken;  ///< of `VAR b = VAR a.` a is taken by b
  std::size_t key_place, value_place;
};

/// The word at a place of a text, up to the first of these ends.
std::string_view word_at(std::string_view text, std::size_t place, std::string_view ends) {
  if (place >= text.size()) return {};
  return text.substr(place, text.find_first_of(ends, place) - place);
}

/// All ` The sum of KEY is VALUE.`, or all ` VAR KEY = VALUE.` and ` VAR KEY = VAR VALUE.`.
std::vector<Told> read(std::string_view text, std::string_view begin, std::string_view middle) {
  std::vector<Told> found;
  for (std::size_t at = text.find(begin); at != text.npos; at = text.find(begin, at + 1)) {
    const std::size_t key_place = at + begin.size();
    const std::string_view key = word_at(text, key_place, " ");
    if (text.substr(key_place + key.size(), middle.size()) != middle) continue;
    std::size_t value_place = key_place + key.size() + middle.size();
    if (text.substr(value_place, variable.size() - 1) == variable.substr(1))
      value_place += variable.size() - 1;
    found.push_back({key, word_at(text, value_place, "."), key_place, value_place});
  }
  return found;
}

/// Answers that stand side by side: one value, or the name of one variable.
struct Run {
  std::size_t begin, size;
};

std::vector<Run> runs_of(std::span<const std::int32_t> answers) {
  std::vector<Run> runs;
  for (const std::int32_t answer : answers) {
    const auto place = static_cast<std::size_t>(answer);
    if (runs.empty() || runs.back().begin + runs.back().size != place) runs.push_back({place, 0});
    ++runs.back().size;
  }
  return runs;
}

/// The bytes that a solver sees, 0 for those that it does not.
std::string visible(std::span<const Token> hidden) {
  std::string text;
  for (const Token token : hidden) text += static_cast<char>(std::max(token, 0));
  return text;
}

/// What stands between this opening, where the text has it last, and `end`.
std::string_view question_of(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t at = text.rfind(begin);
  if (at == text.npos || !text.ends_with(end)) return {};
  const std::size_t place = at + begin.size();
  return text.substr(place, std::max(place, text.size() - end.size()) - place);
}

/// Where a solver says that each run of answers is told; npos where it does not know.
using Places = std::vector<std::size_t>;
using Solver = std::function<Places(std::string_view text, const std::vector<Run>& runs)>;

Places look_up(std::string_view text, const std::vector<Run>& runs) {
  Places places(runs.size(), text.npos);
  const std::vector<Told> told = read(text.substr(0, runs.front().begin), opening, is);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string_view key = question_of(text.substr(0, runs[i].begin), opening, is);
    const auto found =
        std::find_if(told.begin(), told.end(), [&](const Told& each) { return each.key == key; });
    // The first question reads as one more that is told.
    if (found != told.end() && found->value_place < runs.front().begin)
      places[i] = found->value_place;
  }
  return places;
}

/// The i-th value of the key.
Places look_up_all(std::string_view text, const std::vector<Run>& runs) {
  Places places;
  const std::string_view before = text.substr(0, runs.front().begin);
  const std::string_view key = question_of(before, opening_of_all, are);
  for (const Told& each : read(before, opening, is))
    if (each.key == key && places.size() < runs.size()) places.push_back(each.value_place);
  places.resize(runs.size(), text.npos);
  return places;
}

/// Every variable traced back to the value that it goes back to.
Places trace(std::string_view text, const std::vector<Run>& runs) {
  Places places;
  const std::string_view before = text.substr(0, runs.front().begin);
  const std::string_view value = question_of(before, opening_of_variables, ": ");
  std::map<std::string_view, std::string_view> origin;
  for (const Told& each : read(before, variable, equals)) {
    const auto found = origin.find(each.taken);
    const std::string_view root = found == origin.end() ? each.taken : found->second;
    origin[each.key] = root;
    if (root == value && places.size() < runs.size()) places.push_back(each.key_place);
  }
  places.resize(runs.size(), text.npos);
  return places;
}

/// Where each answer stands, a byte each.
std::vector<std::size_t> bytes_told(const Solver& solver, std::string_view text,
                                    std::span<const std::int32_t> answers) {
  std::vector<std::size_t> bytes;
  if (answers.empty()) return bytes;
  const std::vector<Run> runs = runs_of(answers);
  const Places places = solver(text, runs);
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (std::size_t byte = 0; byte < runs[i].size; ++byte)
      bytes.push_back(places[i] == text.npos ? text.npos : places[i] + byte);
  return bytes;
}

std::vector<Token> answer(const Solver& solver, std::span<const Token> hidden,
                          std::span<const std::int32_t> answers) {
  std::vector<Token> found;
  for (const std::size_t byte : bytes_told(solver, visible(hidden), answers))
    found.push_back(byte < hidden.size() ? hidden[byte] : -1);
  return found;
}

class TextRetrieval final : public Task {
 public:
  TextRetrieval(const Form& form, std::shared_ptr<const RetrievalText> text)
      : form_(form), text_(std::move(text)) {}

  std::int32_t vocabulary_size() const override { return byte_kinds; }
  std::string token_name(Token token) const override { return byte_name(token); }

  void check_length(std::int64_t length) const override {
    check_length_range("text-retrieval", length);
    const std::string at_length =
        "text-retrieval: length " + std::to_string(length) + " of form=" + form_.name + " ";
    const std::int64_t fewest = form_.needles > 0 ? form_.needles : fewest_needles;
    if (length + 1 < most_bytes(fewest))
      throw InputError(at_length + "has no room for " + std::to_string(fewest) +
                       (fewest == 1 ? " needle" : " needles") +
                       " and the question; use a length of at least " +
                       std::to_string(most_bytes(fewest) - 1) + ".");
    if (const std::int64_t size = std::ssize(text_->parts->test_part()); length >= size)
      throw InputError(at_length + "needs more bytes than the " + std::to_string(size) +
                       " of the text's test part; use a shorter length or a longer text.");
    if (form_.long_keys || form_.ask == Ask::variables) return;
    const auto of_a_length = static_cast<std::size_t>(
        (needles_in(length) + std::ssize(text_->words) - 1) / std::ssize(text_->words));
    for (const std::vector<std::string>& words : text_->words)
      if (words.size() < of_a_length)
        throw InputError(
            at_length + "needs words in lower case for keys, of each of 4 to 8 letters " +
            std::to_string(of_a_length) + ", in the text's training part; use a longer text" +
            (form_.needles > 0 ? "." : " or a shorter length."));
  }

  std::int64_t total_tokens(std::int64_t length, Purpose) const override { return length + 1; }
  std::int64_t answer_tokens(std::int64_t, Purpose) const override { return scored_bytes(); }

  /// One needle that is asked for begins at any place of the haystack, the other ones and the text
  /// are spread before and behind it; where all are asked for, each begins at any place of the
  /// text. Places are moved to the nearest blank. Test samples have their text from the test part.
  Sample generate(Rng& rng, std::int64_t length, Purpose purpose) const override {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const double depth = rng.uniform();
      const Hidden hidden = hide(rng, length, depth);
      const std::string text = draw_text(rng, length + 1 - hidden.bytes(), purpose);
      const bool is_clear = std::none_of(
          hidden.marks.begin(), hidden.marks.end(),
          [&](const std::string& mark) { return text.find(mark) != std::string::npos; });
      if (is_clear) return assemble(hidden, text, draw_places(rng, hidden, text, depth));
    }
    throw InputError("text-retrieval: the text has everywhere what would be hidden in it.");
  }

  std::vector<Token> solve(std::span<const Token> hidden,
                           std::span<const std::int32_t> answers) const override {
    return answer(solver(), hidden, answers);
  }

  std::vector<Shortcut> shortcuts() const override {
    const auto of = [](std::string name, std::string summary, Solver solver) {
      return Shortcut{std::move(name), std::move(summary),
                      [solver = std::move(solver)](std::span<const Token> hidden,
                                                   std::span<const std::int32_t> answers) {
                        return answer(solver, hidden, answers);
                      }};
    };
    if (form_.ask == Ask::variables)
      return {of("no hops", "the variable that was given the value itself, all along",
                 [](std::string_view text, const std::vector<Run>& runs) {
                   return Places(runs.size(), trace(text, runs).front());
                 })};
    // Which of those told answers the i-th question, given the place where the questions begin.
    using Pick = std::function<std::size_t(const std::vector<Told>&, std::string_view key,
                                           std::size_t question)>;
    const auto picking = [&](std::string name, std::string summary, Pick pick) {
      return of(std::move(name), std::move(summary),
                [pick = std::move(pick)](std::string_view text, const std::vector<Run>& runs) {
                  const std::string_view before = text.substr(0, runs.front().begin);
                  const bool is_of_all = before.ends_with(are);
                  std::vector<Told> told = read(before, opening, is);
                  if (!is_of_all && !told.empty()) told.pop_back();  // the question
                  Places places(runs.size(), text.npos);
                  for (std::size_t i = 0; i < runs.size() && !told.empty(); ++i) {
                    const std::string_view key =
                        is_of_all ? question_of(before, opening_of_all, are)
                                  : question_of(text.substr(0, runs[i].begin), opening, is);
                    const std::size_t picked = pick(told, key, i);
                    if (picked < told.size()) places[i] = told[picked].value_place;
                  }
                  return places;
                });
    };
    return {
        picking("first values", "the values told first, in order, whatever their keys",
                [](const auto&, std::string_view, std::size_t i) { return i; }),
        picking("last value", "the value told last, whatever its key",
                [](const auto& told, std::string_view, std::size_t) { return told.size() - 1; }),
        picking("first letter", "the value last told for a key that begins alike",
                [](const auto& told, std::string_view key, std::size_t) {
                  std::size_t i = told.size();
                  while (i-- > 0)
                    if (told[i].key.substr(0, 1) == key.substr(0, 1)) return i;
                  return told.size();
                })};
  }

  std::vector<std::int32_t> evidence(const Sample& sample, std::size_t i) const override {
    const std::string text = visible(hide_answers(sample));
    const std::size_t byte = bytes_told(solver(), text, sample.answers)[i];
    if (byte >= text.size()) return {};
    return {static_cast<std::int32_t>(byte)};
  }

  double chance(std::int64_t) const override {
    return math::pow(token_chance(), static_cast<double>(scored_bytes()));
  }
  double token_chance() const override { return 1.0 / static_cast<double>(symbols().size()); }

  std::optional<std::uint64_t> data_hash() const override { return name_hash(text_->parts->bytes); }

  std::vector<Quantity> quantities(std::int64_t length) const override {
    return {{"needles", needles_in(length)}};
  }

 private:
  Solver solver() const {
    return form_.ask == Ask::variables    ? trace
           : form_.ask == Ask::all_values ? look_up_all
                                          : look_up;
  }

  std::string_view symbols() const {
    return form_.ask == Ask::variables ? capitals : form_.long_values ? hexadecimal : digits;
  }

  std::int64_t asked() const { return form_.ask == Ask::one ? 1 : form_.needles; }
  std::size_t value_bytes() const { return form_.long_values ? long_word : short_value; }
  std::int64_t scored_bytes() const {
    return asked() *
           static_cast<std::int64_t>(form_.ask == Ask::variables ? variable_name : value_bytes());
  }

  /// Letters in so many keys, at most: of any five one after the other, each has another length.
  std::int64_t key_bytes(std::int64_t count) const {
    if (form_.long_keys) return count * static_cast<std::int64_t>(long_word);
    std::int64_t bytes = count / 5 * (4 + 5 + 6 + 7 + 8);
    for (std::int64_t i = 0; i < count % 5; ++i) bytes += 8 - i;
    return bytes;
  }

  /// Bytes of so many needles and of the question, at most.
  std::int64_t most_bytes(std::int64_t needles) const {
    const auto around = std::ssize(opening) + std::ssize(is);
    const auto value = static_cast<std::int64_t>(value_bytes());
    const auto of_needles = [&](std::int64_t count, std::int64_t letters) {
      return count * (around + value + 1) + letters;
    };
    switch (form_.ask) {
      case Ask::one:
        return of_needles(needles, key_bytes(needles)) + of_needles(1, key_bytes(1)) - 1;
      case Ask::all_keys:
        return 2 * of_needles(needles, key_bytes(needles)) - 1;
      case Ask::all_values:
        return of_needles(needles, needles * key_bytes(1)) + std::ssize(opening_of_all) +
               key_bytes(1) + std::ssize(are) + needles * (value + 1) - 1;
      case Ask::variables:
        break;
    }
    const auto name = static_cast<std::int64_t>(variable_name),
               given = static_cast<std::int64_t>(given_value);
    return needles * (std::ssize(variable) + name + std::ssize(equals) + 1) + given +
           (needles - 1) * (std::ssize(variable) - 1 + name) + std::ssize(opening_of_variables) +
           given + 2 + needles * (name + 1) - 1;
  }

  std::int64_t needles_in(std::int64_t length) const {
    if (form_.needles > 0) return form_.needles;
    // Any five more take the same room.
    std::int64_t count = 1 + (length + 1 - most_bytes(1)) / (most_bytes(6) - most_bytes(1)) * 5;
    while (most_bytes(count + 1) <= length + 1) ++count;
    return count;
  }

  std::vector<std::string> draw_keys(Rng& rng, std::int64_t count) const {
    if (form_.long_keys) {
      std::set<std::string> seen;
      std::vector<std::string> keys;
      while (std::ssize(keys) < count)
        if (const auto [key, is_new] = seen.insert(random_text(rng, hexadecimal, long_word));
            is_new)
          keys.push_back(*key);
      return keys;
    }
    constexpr std::size_t lengths = std::tuple_size_v<decltype(RetrievalText::words)>;
    std::array<std::vector<std::size_t>, lengths> drawn;
    const std::int64_t of_each = (count + 4) / 5;
    const std::size_t first = rng.below(lengths);
    std::vector<std::string> keys;
    for (std::size_t i = 0; std::ssize(keys) < count; ++i) {
      const std::size_t k = (first + i) % lengths;
      const std::vector<std::string>& words = text_->words[k];
      if (drawn[k].empty()) drawn[k] = draw_questions(rng, std::ssize(words), of_each);
      keys.push_back(words[drawn[k][i / lengths]]);
    }
    return keys;
  }

  std::string draw_value(Rng& rng) const { return random_text(rng, symbols(), value_bytes()); }

  Hidden hide(Rng& rng, std::int64_t length, double depth) const {
    if (form_.ask == Ask::variables) return hide_variables(rng);
    const std::int64_t count = needles_in(length);
    Hidden hidden;
    std::vector<std::string> keys = draw_keys(rng, form_.ask == Ask::all_values ? 1 : count);
    keys.resize(static_cast<std::size_t>(count), keys.front());
    std::vector<std::string> values;
    for (const std::string& key : keys) {
      values.push_back(draw_value(rng));
      hidden.needles.push_back(joined({opening, key, is, values.back(), "."}));
    }
    std::vector<std::string>& question = hidden.question;
    if (form_.ask == Ask::all_values) {
      question = {joined({opening_of_all, keys.front(), are})};
      for (const std::string& value : values) {
        if (question.size() > 1) question.push_back(" ");
        question.push_back(value);
      }
      hidden.marks = {joined({opening.substr(1), keys.front(), is.substr(0, 3)})};
      return hidden;
    }
    hidden.asked = static_cast<std::size_t>(depth * static_cast<double>(count));
    std::vector<std::size_t> asked{hidden.asked};
    if (form_.ask == Ask::all_keys) asked = draw_questions(rng, count, count);
    for (const std::size_t i : asked) {
      question.push_back(joined({question.empty() ? "" : ".", opening, keys[i], is}));
      question.push_back(values[i]);
      hidden.marks.push_back(joined({opening.substr(1), keys[i], is.substr(0, 3)}));
    }
    return hidden;
  }

  Hidden hide_variables(Rng& rng) const {
    std::vector<std::string> names;
    while (std::ssize(names) < form_.needles) {
      const std::string name = random_text(rng, capitals, variable_name);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    const std::string value = random_text(rng, digits, given_value);
    Hidden hidden;
    hidden.question = {joined({opening_of_variables, value, ": "})};
    hidden.marks = {joined({equals.substr(1), value})};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string taken = i == 0 ? value : joined({variable.substr(1), names[i - 1]});
      hidden.needles.push_back(joined({variable, names[i], equals, taken, "."}));
      if (i > 0) hidden.question.push_back(" ");
      hidden.question.push_back(names[i]);
      hidden.marks.push_back(joined({variable.substr(1), names[i]}));
    }
    return hidden;
  }

  std::string draw_text(Rng& rng, std::int64_t bytes, Purpose purpose) const {
    const auto size = static_cast<std::size_t>(bytes);
    if (form_.haystack == Haystack::noise) {
      std::string text;
      for (std::size_t i = rng.below(static_cast<std::uint32_t>(noise.size())); text.size() < size;
           ++i)
        text += noise[i % noise.size()];
      return text;
    }
    const TextParts& parts = *text_->parts;
    const std::string_view part =
        purpose == Purpose::training ? parts.training_part() : parts.test_part();
    const auto begins = static_cast<std::uint32_t>(part.size() - size + 1);
    return std::string(part.substr(rng.below(begins), size));
  }

  /// Where in the text each needle is put, in order.
  std::vector<std::size_t> draw_places(Rng& rng, const Hidden& hidden, std::string_view text,
                                       double depth) const {
    // What no needle has room for comes first.
    std::vector<std::size_t> places(hidden.needles.size(), text.size());
    if (form_.haystack == Haystack::needles) return places;
    const auto between = [&](std::size_t from, std::size_t to) {
      return from + rng.below(static_cast<std::uint32_t>(to - from + 1));
    };
    if (form_.ask == Ask::one) {
      std::int64_t before = 0;
      for (std::size_t i = 0; i < hidden.asked; ++i) before += std::ssize(hidden.needles[i]);
      const std::int64_t start =
          static_cast<std::int64_t>(depth * static_cast<double>(starts(hidden, text)));
      const auto place =
          static_cast<std::size_t>(std::clamp<std::int64_t>(start - before, 0, std::ssize(text)));
      for (std::size_t i = 0; i < places.size(); ++i)
        places[i] = i < hidden.asked   ? between(0, place)
                    : i > hidden.asked ? between(place, text.size())
                                       : place;
    } else {
      for (std::size_t& place : places) place = between(0, text.size());
    }
    std::sort(places.begin(), places.end());
    for (std::size_t& place : places) place = nearest_blank(text, place);
    return places;
  }

  /// Where in the haystack the needle asked for may begin.
  std::int64_t starts(const Hidden& hidden, std::string_view text) const {
    return std::ssize(text) + bytes_in(hidden.needles) - std::ssize(hidden.needles[hidden.asked]) +
           1;
  }

  Sample assemble(const Hidden& hidden, std::string_view text,
                  const std::vector<std::size_t>& places) const {
    Sample sample;
    const auto append = [&](std::string_view bytes, bool scored) {
      for (const char byte : bytes) {
        if (scored) sample.answers.push_back(static_cast<std::int32_t>(sample.tokens.size()));
        sample.tokens.push_back(static_cast<unsigned char>(byte));
      }
    };
    std::size_t done = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      append(text.substr(done, places[i] - done), false);
      done = places[i];
      if (form_.ask == Ask::one && i == hidden.asked)
        sample.depth_decile =
            static_cast<int>(10 * std::ssize(sample.tokens) / starts(hidden, text));
      append(hidden.needles[i], false);
    }
    append(text.substr(done), false);
    for (std::size_t i = 0; i < hidden.question.size(); ++i) append(hidden.question[i], i % 2 == 1);
    return sample;
  }

  Form form_;
  std::shared_ptr<const RetrievalText> text_;
};

}  // namespace

RetrievalText::RetrievalText(std::shared_ptr<const TextParts> parts_) : parts(std::move(parts_)) {
  std::array<std::set<std::string_view>, longest_word - shortest_word + 1> found;
  const std::string_view text = parts->training_part();
  const auto is_lower = [](char byte) { return byte >= 'a' && byte <= 'z'; };
  // What belongs to a word that is no key: capitals, and letters beyond ASCII.
  const auto is_other = [](char byte) {
    return (byte >= 'A' && byte <= 'Z') || static_cast<unsigned char>(byte) >= 128;
  };
  for (std::size_t begin = 0; begin < text.size();) {
    bool is_plain = true;
    std::size_t end = begin;
    for (; end < text.size() && (is_lower(text[end]) || is_other(text[end])); ++end)
      is_plain = is_plain && is_lower(text[end]);
    const std::size_t size = end - begin;
    if (is_plain && size >= shortest_word && size <= longest_word)
      found[size - shortest_word].insert(text.substr(begin, size));
    begin = end + 1;
  }
  for (std::size_t i = 0; i < words.size(); ++i) words[i].assign(found[i].begin(), found[i].end());
}

std::vector<std::string> retrieval_forms() {
  std::vector<std::string> names;
  for (const Form& form : forms) names.push_back(form.name);
  return names;
}

std::unique_ptr<Task> make_text_retrieval(const std::string& form,
                                          std::shared_ptr<const RetrievalText> text) {
  const auto found = std::find_if(std::begin(forms), std::end(forms),
                                  [&](const Form& each) { return each.name == form; });
  return std::make_unique<TextRetrieval>(*found, std::move(text));
}

}  // namespace attnspan
