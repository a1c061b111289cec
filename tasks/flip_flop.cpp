#include "core/error.hpp"
#include "core/mathematics.hpp"
#include "task/shortcuts.hpp"
#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

constexpr Token zero = 0, one = 1, write = 2, ignore = 3, read = 4;

/// Flip-flop language modelling: instructions, each with a bit; a read repeats the bit last
/// written. Liu et al. draw, between a write and a read, ignore with p and write and read with (1 -
/// p) / 2 each, and score every read. With one read at the end, writes keep their share among the
/// others.
struct FlipFlop {
  double training_ignores, ignores;
  bool every_read;

  Symbols draw(Rng& rng, std::int64_t length, Purpose purpose) const {
    const double p = purpose == Purpose::training ? training_ignores : ignores;
    const double reads = every_read ? (1 - p) / 2 : 0;
    const double writes = every_read ? (1 - p) / 2 : (1 - p) / (1 + p);
    Symbols x;
    Token bit = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      const double u = rng.uniform();
      const Token drawn = static_cast<Token>(rng.below(2));
      const bool writes_here = i == 0 || (i + 1 < length && u < writes);
      const bool reads_here = !writes_here && (i + 1 == length || u < writes + reads);
      if (writes_here) bit = drawn;
      x.push_back(writes_here ? write : reads_here ? read : ignore);
      x.push_back(reads_here ? bit : drawn);
    }
    return x;
  }

  /// A guesser of bits is right at each free place with 1 - reads / 2, and with 1/2 at the end.
  double chance(std::int64_t length) const {
    return every_read ? math::pow(1 - (1 - ignores) / 4, static_cast<double>(length - 2)) / 2 : 0.5;
  }
};

/// Labels the reads of x by what answer(i) says of the one at x[i].
template <class Answer>
Symbols label_reads(std::span<const Token> x, const Answer& answer) {
  Symbols y(x.size(), -1);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] == read) y[i] = answer(i);
  return y;
}

/// What the generator does: carries the bit along.
Symbols carry(std::span<const Token> x) {
  Token bit = -1;
  Symbols y(x.size(), -1);
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    if (x[i] == write) bit = x[i + 1];
    if (x[i] == read) y[i] = bit;
  }
  return y;
}

/// From the end: reads wait until a write is met.
Symbols look_back(std::span<const Token> x) {
  Symbols y(x.size(), -1);
  std::vector<std::size_t> waiting;
  for (std::size_t i = x.size(); i-- > 0;) {
    if (x[i] == read) waiting.push_back(i);
    if (x[i] != write || i + 1 >= x.size()) continue;
    for (const std::size_t place : waiting) y[place] = x[i + 1];
    waiting.clear();
  }
  return y;
}

/// A wrong answer is the other bit, which may stand where a model should not have looked.
Transduction::Kinds other_bit() {
  return {{"the bit of the instruction before", "the bit written before the last",
           "the bit most common so far"},
          "no bit",
          "the other bit at any read",
          [](std::span<const Token> x, std::span<const Token> y, std::size_t i) {
            const Token other = y[i] == one ? zero : one;
            std::vector<Token> written;
            std::size_t others = 0;
            for (std::size_t k = 0; k + 1 < i; k += 2) {
              if (x[k] == write) written.push_back(x[k + 1]);
              others += x[k + 1] == other ? 1 : 0;
            }
            std::uint32_t kinds = i > 0 && x[i - 1] == other ? 1 : 0;
            if (written.size() > 1 && written[written.size() - 2] == other) kinds |= 2;
            if (4 * others > i) kinds |= 4;
            return std::vector<Lure>{{other, 1, kinds}};
          }};
}

/// Where the bit stands that holds at a read.
std::vector<std::size_t> last_written(std::span<const Token> x, std::size_t i) {
  for (std::size_t k = i + 1; k-- > 0;)
    if (x[k] == write) return {k + 1};
  return {};
}

}  // namespace

TaskEntry flip_flop() {
  const auto make = [](const Arguments& arguments) {
    const FlipFlop rules{arguments.number("training_ignores"), arguments.number("ignores"),
                         arguments.text("form") == "reads"};
    return make_transduction(
        {.task = "flip-flop",
         .symbols = 5,
         .name = [](Token symbol) { return std::string(1, "01wir"[symbol]); },
         .layout = Transduction::Layout::each,
         .draw = [rules](Rng& rng, std::int64_t length,
                         Purpose purpose) { return rules.draw(rng, length, purpose); },
         .target = carry,
         .oracle = look_back,
         .x_symbols = [](std::int64_t length) { return 2 * length; },
         .y_symbols = [rules](std::int64_t length) { return rules.every_read ? length - 1 : 1; },
         .check =
             [](std::int64_t length) {
               if (length < 2)
                 throw InputError(
                     "flip-flop: length 1 has no room for a write and a read; use a "
                     "length of at least 2.");
             },
         .choices = 2,
         .chance = [rules](std::int64_t length) { return rules.chance(length); },
         .shortcuts = {{"last bit", "the bit of the instruction before",
                        [](std::span<const Token> x) {
                          return label_reads(x,
                                             [&](std::size_t i) { return i == 0 ? -1 : x[i - 1]; });
                        }},
                       {"first bit", "the bit first written",
                        [](std::span<const Token> x) {
                          return label_reads(x,
                                             [&](std::size_t) { return x.size() > 1 ? x[1] : -1; });
                        }},
                       {"most common bit", "the bit most common so far",
                        [](std::span<const Token> x) {
                          std::size_t seen = 0;
                          std::int64_t balance = 0;
                          return label_reads(x, [&](std::size_t i) {
                            for (; seen < i; ++seen)
                              balance += x[seen] == one ? 1 : x[seen] == zero ? -1 : 0;
                            return balance > 0 ? one : zero;
                          });
                        }}},
         .evidence = last_written,
         .confusions = other_bit()});
  };
  using Kind = ParameterSpec::Kind;
  return {{.name = "flip-flop",
           .summary = "a read repeats the bit last written: w 1 i 0 i 1 r [1]",
           .source = "Liu et al. 2023, arXiv 2306.00946; last: arXiv 2506.16640",
           .parameters = {{.name = "form",
                           .help = "reads: at any place, each scored; last: one, at the end",
                           .default_value = "reads",
                           .kind = Kind::choice,
                           .choices = {"reads", "last"}},
                          {.name = "ignores",
                           .help = "share of ignored instructions in evaluation; 0.1 is dense",
                           .default_value = "0.98",
                           .kind = Kind::number,
                           .minimum = 0,
                           .maximum = 1},
                          {.name = "training_ignores",
                           .help = "share of ignored instructions in training",
                           .default_value = "0.8",
                           .kind = Kind::number,
                           .minimum = 0,
                           .maximum = 1}}},
          make};
}

}  // namespace attnspan::tasks
