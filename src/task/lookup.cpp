#include "task/lookup.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

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

std::string ordinal(std::size_t place) {
  static constexpr std::array words{"first", "second", "third", "fourth"};
  return place < words.size() ? words[place] : std::to_string(place + 1) + "th";
}

/// The kinds of mistakes in looking up, each with its bit; 0 where a task cannot make it.
struct LookupKinds {
  std::vector<std::string> names;
  std::size_t key_length;
  std::vector<std::uint32_t> same_place;
  std::uint32_t other_place = 0, value_before = 0, other_telling = 0, nothing = 0;

  LookupKinds(std::size_t key_tokens, std::size_t value_tokens, bool tells_again)
      : key_length(key_tokens), same_place(key_tokens, 0) {
    if (key_length > 1) {
      for (std::size_t place = 0; place < std::min<std::size_t>(key_length, 16); ++place)
        same_place[place] = add("shares the " + ordinal(place) + " key token");
      other_place = add("has a key token in another place");
    }
    if (value_tokens > 1)
      value_before = add(value_tokens == 2 ? "shares the first value token"
                                           : "shares the value tokens before");
    if (tells_again) other_telling = add("an earlier value of the key");
    nothing = add("a value that shares nothing");
  }

  std::uint32_t add(const std::string& name) {
    names.push_back(name);
    return std::uint32_t{1} << (names.size() - 1);
  }

  std::uint32_t of_key(std::span<const Token> key, std::span<const Token> asked) const {
    if (std::equal(key.begin(), key.end(), asked.begin(), asked.end())) return other_telling;
    std::uint32_t kinds = 0;
    for (std::size_t i = 0; i < key.size(); ++i)
      for (std::size_t j = 0; j < asked.size(); ++j)
        if (key[i] == asked[j]) kinds |= i == j ? same_place[i] : other_place;
    return kinds;
  }
};

/// The question that an answer at p belongs to, or null.
const Mention* question_of(const Reading& reading, std::size_t p) {
  const auto asks =
      std::find_if(reading.mentions.begin(), reading.mentions.end(), [&](const Mention& mention) {
        return mention.asks && mention.value <= p && p < mention.value + reading.value_length;
      });
  return asks == reading.mentions.end() ? nullptr : &*asks;
}

std::vector<Lure> lures_of(const Reading& reading, const LookupKinds& kinds,
                           std::span<const Token> tokens, std::size_t p) {
  const Mention* const asks = question_of(reading, p);
  if (asks == nullptr) return {};
  const std::size_t part = p - asks->value;
  const auto asked = tokens.subspan(asks->key, reading.key_length);
  const auto before = tokens.subspan(asks->value, part);
  std::map<Token, Lure> by_token;
  for (const Mention& told : reading.mentions) {
    if (told.asks || told.value + reading.value_length > tokens.size()) continue;
    const auto value = tokens.subspan(told.value, reading.value_length);
    std::uint32_t found = kinds.of_key(tokens.subspan(told.key, reading.key_length), asked);
    if (part > 0 && std::equal(before.begin(), before.end(), value.begin()))
      found |= kinds.value_before;
    Lure& lure = by_token[value[part]];
    lure.token = value[part];
    lure.weight += 1;
    lure.kinds |= found;
  }
  std::vector<Lure> lures;
  for (auto& [token, lure] : by_token) {
    if (lure.kinds == 0) lure.kinds = kinds.nothing;
    lures.push_back(lure);
  }
  return lures;
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

Confusions lookup_confusions(const Read& read, std::size_t key_length, std::size_t value_length,
                             bool tells_again) {
  const LookupKinds kinds(key_length, value_length, tells_again);
  return {kinds.names, "no value of this sample", "the values of the sample",
          [read, kinds](const Sample& sample, std::size_t answer) {
            return lures_of(read(hide_answers(sample)), kinds, sample.tokens,
                            static_cast<std::size_t>(sample.answers[answer]));
          }};
}

std::vector<std::int32_t> lookup_evidence(const Read& read, const Sample& sample,
                                          std::size_t answer) {
  const Reading reading = read(hide_answers(sample));
  const auto p = static_cast<std::size_t>(sample.answers[answer]);
  const Mention* const asks = question_of(reading, p);
  std::vector<std::int32_t> places;
  if (asks == nullptr) return places;
  const auto key_at = [&](const Mention& mention) {
    return std::span(sample.tokens).subspan(mention.key, reading.key_length);
  };
  const auto asked = key_at(*asks);
  for (const Mention& told : reading.mentions) {
    const auto key = key_at(told);
    if (!told.asks && std::equal(key.begin(), key.end(), asked.begin(), asked.end()))
      places = {static_cast<std::int32_t>(told.value + p - asks->value)};
  }
  return places;
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
