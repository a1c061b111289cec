#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "task/task.hpp"

namespace attnspan {

/// Symbols of a transduction, 0 .. symbols-1.
using Symbols = std::vector<Token>;

/// y from x, as a rule, an oracle or a shortcut does it. Empty where x makes no sense.
using Transduce = std::function<Symbols(std::span<const Token> x)>;

/// A task whose samples are a sequence x of symbols and a sequence y that x determines. A file of
/// tasks/ fills in what makes it the task it is; frame, scoring and oracle are made here.
struct Transduction {
  std::string task;                                    ///< named in messages
  std::int64_t symbols = 0;                            ///< of x and y together
  std::function<std::string(Token symbol)> name = {};  ///< s0, s1, ... unless given

  /// Where y stands. after: `BOS x SEP y EOS`, y and EOS scored. next: `BOS x y`, y scored. each:
  /// `BOS x EOS`, where y_i is the label of x_i, to be predicted as soon as x_i is read, and never
  /// seen; y_i = -1 where x_i has none.
  enum class Layout { after, next, each } layout = Layout::after;

  /// x of a sample of this length.
  std::function<Symbols(Rng& rng, std::int64_t length, Purpose purpose)> draw;

  Transduce target;  ///< what the generator writes as y
  Transduce oracle;  ///< an independent way to the same

  /// Upper bounds on the symbols in x and on the scored ones in y; `length` unless given.
  std::function<std::int64_t(std::int64_t length)> x_symbols = {}, y_symbols = {};

  /// Throws InputError when no sample of this length exists; lengths out of range are refused
  /// already.
  std::function<void(std::int64_t length)> check = {};

  /// Symbols that one y_i can be, for chance.
  std::int64_t choices = 0;

  /// Chance of a whole sample; that of y_symbols guesses unless given.
  std::function<double(std::int64_t length)> chance = {};

  /// Like Shortcut, from x alone.
  struct Guess {
    std::string name, summary;
    Transduce y;
  };
  std::vector<Guess> shortcuts = {};

  /// As Task::evidence: places of x that hold y_i.
  std::function<std::vector<std::size_t>(std::span<const Token> x, std::size_t i)> evidence = {};

  /// Like Confusions: lures are symbols in the place of y_i, and are worked out from x and y.
  struct Kinds {
    std::vector<std::string> kinds;
    std::string otherwise, guess;
    std::function<std::vector<Lure>(std::span<const Token> x, std::span<const Token> y,
                                    std::size_t i)>
        lures;
  };
  std::optional<Kinds> confusions = {};

  /// As Task::quantities.
  std::function<std::vector<Quantity>(std::int64_t length)> quantities = {};
};

/// The task, in the shape that all tasks have.
std::unique_ptr<Task> make_transduction(Transduction transduction);

/// `length` symbols, each uniform on 0 .. symbols-1.
Symbols random_symbols(Rng& rng, std::int64_t length, std::int64_t symbols);

/// The parameter that says how many symbols there are.
ParameterSpec symbols_parameter(const std::string& default_value);

/// Shortcut: as many as x of the symbol most common in x.
Transduction::Guess most_common_guess();

/// Shortcut: what followed the symbol before where it stood first, or last.
Transduction::Guess follow_guess(bool first);

/// Shortcut: each symbol is its own label.
Transduction::Guess same_symbol_guess();

/// Confusions of a task that writes what stands in x: what follows another occurrence of the last
/// symbols written, by how many of these are the same there, the longest such occurrence counting.
Transduction::Kinds jumps();

/// Confusions by how many places of y away the nearest such symbol stands.
Transduction::Kinds misplacements();

}  // namespace attnspan
