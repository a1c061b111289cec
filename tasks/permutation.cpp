#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "task/transduction.hpp"

namespace attnspan::tasks {
namespace {

using Permutation = std::array<int, 5>;

/// (a o b)[j] = a[b[j]].
Permutation compose(const Permutation& a, const Permutation& b) {
  Permutation product{};
  for (std::size_t j = 0; j < product.size(); ++j) product[j] = a[static_cast<std::size_t>(b[j])];
  return product;
}

Permutation inverse(const Permutation& a) {
  Permutation back{};
  for (std::size_t j = 0; j < back.size(); ++j)
    back[static_cast<std::size_t>(a[j])] = static_cast<int>(j);
  return back;
}

bool is_even(const Permutation& a) {
  int inversions = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) inversions += a[j] > a[i] ? 1 : 0;
  return inversions % 2 == 0;
}

/// S5 (120 elements) or A5 (60), the elements in lexicographic order: the identity is the first.
struct Group {
  std::vector<Permutation> elements;
  std::map<Permutation, Token> numbers;

  explicit Group(bool even_only) {
    Permutation element{};
    std::iota(element.begin(), element.end(), 0);
    do {
      if (even_only && !is_even(element)) continue;
      numbers[element] = static_cast<Token>(elements.size());
      elements.push_back(element);
    } while (std::next_permutation(element.begin(), element.end()));
  }

  const Permutation& operator[](Token symbol) const {
    return elements[static_cast<std::size_t>(symbol)];
  }
  Token multiply(Token a, Token b) const {
    return numbers.at(
        compose(elements[static_cast<std::size_t>(a)], elements[static_cast<std::size_t>(b)]));
  }

  /// s_i = s_(i-1) o x_i.
  Symbols products(std::span<const Token> x) const {
    Symbols y;
    for (const Token symbol : x) y.push_back(y.empty() ? symbol : multiply(y.back(), symbol));
    return y;
  }

  /// The same by way of inverses: s_i is the inverse of x_i^-1 o ... o x_1^-1.
  Symbols by_inverses(std::span<const Token> x) const {
    Symbols y;
    Permutation undone = elements[0];
    for (const Token symbol : x) {
      undone = compose(inverse((*this)[symbol]), undone);
      y.push_back(numbers.at(inverse(undone)));
    }
    return y;
  }
};

}  // namespace

TaskEntry permutation() {
  const auto make = [](const Arguments& arguments) {
    const auto group = std::make_shared<const Group>(arguments.text("group") == "A5");
    const auto size = static_cast<std::int64_t>(group->elements.size());
    return make_transduction(
        {.task = "permutation",
         .symbols = size,
         .name =
             [group](Token symbol) {
               std::string digits;
               for (const int image : (*group)[symbol]) digits += static_cast<char>('0' + image);
               return digits;
             },
         .layout = Transduction::Layout::each,
         .draw = [size](Rng& rng, std::int64_t length,
                        Purpose) { return random_symbols(rng, length, size); },
         .target = [group](std::span<const Token> x) { return group->products(x); },
         .oracle = [group](std::span<const Token> x) { return group->by_inverses(x); },
         .choices = size,
         .shortcuts = {same_symbol_guess(),
                       {"last two", "the product of the last two alone",
                        [group](std::span<const Token> x) {
                          Symbols y;
                          for (std::size_t i = 0; i < x.size(); ++i)
                            y.push_back(i == 0 ? x[0] : group->multiply(x[i - 1], x[i]));
                          return y;
                        }}}});
  };
  return {{.name = "permutation",
           .summary = "the product of the permutations so far: 10234 [10234] 01243 [10243] ...",
           .source = "Liu et al. 2023, arXiv 2210.10749; Merrill et al. 2024, arXiv 2404.08819",
           .parameters = {{.name = "group",
                           .help = "S5: all permutations of five things; A5: the even ones",
                           .default_value = "S5",
                           .kind = ParameterSpec::Kind::choice,
                           .choices = {"S5", "A5"}}}},
          make};
}

}  // namespace attnspan::tasks
