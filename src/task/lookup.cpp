#include "task/lookup.hpp"

#include <algorithm>
#include <map>

#include "task/shortcuts.hpp"

namespace attnspan {
namespace {

/// Puts `values` where a question's answer belongs, as far as the sequence goes.
void fill(std::vector<Token>& filled, std::size_t start, std::span<const Token> values) {
  for (std::size_t i = 0; i < values.size() && start + i < filled.size(); ++i)
    filled[start + i] = values[i];
}

std::vector<Token> at(const std::vector<Token>& filled, std::span<const std::int32_t> answers) {
  std::vector<Token> right;
  for (const std::int32_t p : answers) {
    const auto place = static_cast<std::size_t>(p);
    right.push_back(place < filled.size() ? filled[place] : -1);
  }
  return right;
}

std::vector<Token> frame_of(const Reading& reading, std::size_t size) {
  std::vector<Token> filled(size, -1);
  for (const auto& [place, token] : reading.frame)
    if (place < size) filled[place] = token;
  return filled;
}

/// The values told, whole ones only.
std::vector<std::span<const Token>> told_values(const Reading& reading,
                                                std::span<const Token> hidden) {
  std::vector<std::span<const Token>> values;
  for (const Mention& mention : reading.mentions)
    if (!mention.asks && mention.value + reading.value_length <= hidden.size())
      values.push_back(hidden.subspan(mention.value, reading.value_length));
  return values;
}

/// Answers every question alike.
std::vector<Token> answer_all(const Reading& reading, std::span<const Token> value,
                              std::span<const Token> hidden,
                              std::span<const std::int32_t> answers) {
  std::vector<Token> filled = frame_of(reading, hidden.size());
  for (const Mention& mention : reading.mentions)
    if (mention.asks) fill(filled, mention.value, value);
  return at(filled, answers);
}

}  // namespace

Reading read_pairs(std::span<const Token> hidden, const PairMarks& marks, std::size_t key_length,
                   std::size_t value_length) {
  Reading reading{key_length, value_length, {}, {}};
  std::vector<std::size_t> asked;
  for (std::size_t p = 0; p < hidden.size(); ++p) {
    if (hidden[p] == marks.separator) {
      std::size_t reply = p + 1;
      for (const std::size_t key : asked) {
        reading.frame.emplace_back(reply, marks.question);
        reading.mentions.push_back({true, key, reply + 1});
        reply += 1 + value_length;
      }
      reading.frame.emplace_back(reply, marks.end);
      break;
    }
    if (hidden[p] == marks.question) asked.push_back(p + 1);
    if (hidden[p] != marks.equals || p < key_length) continue;
    const std::size_t key = p - key_length;
    reading.mentions.push_back({key > 0 && hidden[key - 1] == marks.question, key, p + 1});
  }
  return reading;
}

std::vector<Token> whole_key(std::span<const Token> key) { return {key.begin(), key.end()}; }

std::vector<Token> look_up(const Reading& reading, const View& view, std::span<const Token> hidden,
                           std::span<const std::int32_t> answers, Telling telling) {
  std::map<std::vector<Token>, std::span<const Token>> told;
  std::vector<Token> filled = frame_of(reading, hidden.size());
  for (const Mention& mention : reading.mentions) {
    if (mention.key + reading.key_length > hidden.size()) continue;
    const std::vector<Token> key = view(hidden.subspan(mention.key, reading.key_length));
    if (mention.asks) {
      const auto found = told.find(key);
      if (found != told.end()) fill(filled, mention.value, found->second);
    } else if (mention.value + reading.value_length <= hidden.size()) {
      const std::span<const Token> value = hidden.subspan(mention.value, reading.value_length);
      if (telling == Telling::first)
        told.try_emplace(key, value);
      else
        told[key] = value;
    }
  }
  return at(filled, answers);
}

std::vector<Shortcut> lookup_shortcuts(const Read& read, std::size_t key_length) {
  using Hidden = std::span<const Token>;
  using Answers = std::span<const std::int32_t>;
  std::vector<Shortcut> shortcuts;
  const auto add_view = [&](std::string name, std::string summary, View view) {
    shortcuts.push_back({std::move(name), std::move(summary),
                         [read, view = std::move(view)](Hidden hidden, Answers answers) {
                           return look_up(read(hidden), view, hidden, answers);
                         }});
  };
  if (key_length > 1) {
    add_view("first key token", "the value last told for a key with the same first token",
             [](Hidden key) { return std::vector<Token>{key.front()}; });
    add_view("last key token", "the value last told for a key with the same last token",
             [](Hidden key) { return std::vector<Token>{key.back()}; });
    add_view("key in any order", "the value last told for a key of the same tokens",
             [](Hidden key) {
               std::vector<Token> tokens(key.begin(), key.end());
               std::sort(tokens.begin(), tokens.end());
               return tokens;
             });
  }
  add_view("last value", "the value told last, whatever its key",
           [](Hidden) { return std::vector<Token>(); });
  shortcuts.push_back({"first value", "the value told first, whatever its key",
                       [read](Hidden hidden, Answers answers) {
                         const Reading reading = read(hidden);
                         const auto values = told_values(reading, hidden);
                         return answer_all(reading, values.empty() ? Hidden() : values.front(),
                                           hidden, answers);
                       }});
  shortcuts.push_back({"most common token", "the token most common in values",
                       [read](Hidden hidden, Answers answers) {
                         const Reading reading = read(hidden);
                         std::vector<Token> tokens;
                         for (const Hidden value : told_values(reading, hidden))
                           tokens.insert(tokens.end(), value.begin(), value.end());
                         const std::vector<Token> value(reading.value_length, most_common(tokens));
                         return answer_all(reading, value, hidden, answers);
                       }});
  return shortcuts;
}

}  // namespace attnspan
