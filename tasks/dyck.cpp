#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

/// Symbols: openers of every kind, closers of every kind, the kinds as labels, and none.
struct Dyck {
  Token kinds;
  std::size_t depth;

  Token opener(Token kind) const { return kind; }
  Token closer(Token kind) const { return kinds + kind; }
  Token label(Token kind) const { return 2 * kinds + kind; }
  Token none() const { return 3 * kinds; }
  bool opens(Token symbol) const { return symbol < kinds; }
  bool closes(Token symbol) const { return symbol >= kinds && symbol < 2 * kinds; }

  /// The beginning of a well-nested word: opens or closes with equal chances where both may be.
  Symbols draw(Rng& rng, std::int64_t length) const {
    Symbols x, open;
    while (std::ssize(x) < length) {
      const bool opens_here = open.empty() || (open.size() < depth && rng.below(2) == 0);
      if (opens_here) {
        open.push_back(static_cast<Token>(rng.below(static_cast<std::uint32_t>(kinds))));
        x.push_back(opener(open.back()));
      } else {
        x.push_back(closer(open.back()));
        open.pop_back();
      }
    }
    return x;
  }

  /// The kind on top of the stack of open brackets.
  Symbols by_stack(std::span<const Token> x) const {
    Symbols y, open;
    for (const Token symbol : x) {
      if (opens(symbol)) open.push_back(symbol);
      if (closes(symbol) && !open.empty()) open.pop_back();
      y.push_back(open.empty() ? none() : label(open.back()));
    }
    return y;
  }

  /// The same without a stack: what was last opened at each depth.
  Symbols by_depth(std::span<const Token> x) const {
    Symbols y, last(x.size() + 1, -1);
    std::size_t now = 0;
    for (const Token symbol : x) {
      if (opens(symbol)) last[++now] = symbol;
      if (closes(symbol) && now > 0) --now;
      y.push_back(now == 0 ? none() : label(last[now]));
    }
    return y;
  }

  /// The kind last opened, whether it is closed or not.
  Symbols last_opened(std::span<const Token> x) const {
    Symbols y;
    Token last = none();
    for (const Token symbol : x) {
      if (opens(symbol)) last = label(symbol);
      y.push_back(last);
    }
    return y;
  }

  std::string name(Token symbol) const {
    const std::string kind = std::to_string(symbol % kinds);
    return symbol == none() ? "none"
           : opens(symbol)  ? "(" + kind
           : closes(symbol) ? kind + ")"
                            : kind;
  }
};

}  // namespace

TaskEntry dyck() {
  const auto make = [](const Arguments& arguments) {
    const Dyck rules{static_cast<Token>(arguments.integer("kinds")),
                     static_cast<std::size_t>(arguments.integer("depth"))};
    return make_transduction(
        {.task = "dyck",
         .symbols = 3 * rules.kinds + 1,
         .name = [rules](Token symbol) { return rules.name(symbol); },
         .layout = Transduction::Layout::each,
         .draw = [rules](Rng& rng, std::int64_t length,
                         Purpose) { return rules.draw(rng, length); },
         .target = [rules](std::span<const Token> x) { return rules.by_stack(x); },
         .oracle = [rules](std::span<const Token> x) { return rules.by_depth(x); },
         .choices = rules.kinds + 1,
         .shortcuts = {{"last opened", "the kind last opened, closed or not",
                        [rules](std::span<const Token> x) { return rules.last_opened(x); }},
                       {"always none", "none may close", [rules](std::span<const Token> x) {
                          return Symbols(x.size(), rules.none());
                        }}}});
  };
  return {{.name = "dyck",
           .summary = "the kind of bracket that may close now: (0 [0] (1 [1] 1) [0] 0) [none] ...",
           .source = "Yao et al. 2021, arXiv 2105.11115",
           .parameters = {{.name = "kinds",
                           .help = "kinds of brackets",
                           .default_value = "2",
                           .minimum = 1,
                           .maximum = 1024},
                          {.name = "depth",
                           .help = "brackets open at a time, at most",
                           .default_value = "8",
                           .minimum = 1,
                           .maximum = longest_length}}},
          make};
}

}  // namespace attnspan::tasks
