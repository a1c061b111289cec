#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "task/task.hpp"

namespace attnspan {

/// A key in a sequence, where its value is told or asked for.
struct Mention {
  bool asks = false;
  std::size_t key = 0;    ///< where the key starts
  std::size_t value = 0;  ///< where its value starts, or belongs
};

/// What a reader understood of a sequence of keys and values.
struct Reading {
  std::size_t key_length = 0;
  std::size_t value_length = 0;
  std::vector<Mention> mentions;                     ///< in order
  std::vector<std::pair<std::size_t, Token>> frame;  ///< answers that need no looking up
};

/// Takes a sequence with its answers hidden; must bear one that is cut or corrupted.
using Read = std::function<Reading(std::span<const Token> hidden)>;

/// The tokens that mark pairs and questions.
struct PairMarks {
  Token equals, question, separator, end;
};

/// Reads pairs `k = v` and either `? k = v` after them or, with a separator, `? k ? k ... SEP ? v
/// ? v ... EOS`, where the i-th answer belongs to the i-th key asked for.
Reading read_pairs(std::span<const Token> hidden, const PairMarks& marks, std::size_t key_length,
                   std::size_t value_length);

/// What a solver sees of a key; keys that look the same to it are the same key.
using View = std::function<std::vector<Token>(std::span<const Token> key)>;
std::vector<Token> whole_key(std::span<const Token> key);

/// Which value holds where one key was told several.
enum class Telling { first, last };

/// What belongs at `answers` when every question is answered with the value told for its key; -1
/// where none was.
std::vector<Token> look_up(const Reading& reading, const View& view, std::span<const Token> hidden,
                           std::span<const std::int32_t> answers, Telling telling = Telling::last);

/// Wrong answers by what the pair that they belong to shares with the one asked for. `tells_again`:
/// a key may be told several values.
Confusions lookup_confusions(const Read& read, std::size_t key_length, std::size_t value_length,
                             bool tells_again = false);

/// As Task::evidence: the answer's token in the value told last for the key that is asked for.
std::vector<std::int32_t> lookup_evidence(const Read& read, const Sample& sample,
                                          std::size_t answer);

/// Solvers that see part of the key, or only the values.
std::vector<Shortcut> lookup_shortcuts(const Read& read, std::size_t key_length);

}  // namespace attnspan
