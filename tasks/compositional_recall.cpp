#include <cmath>

#include "core/error.hpp"
#include "task/recall.hpp"

namespace attnspan::tasks {
namespace {

/// g of a haystack: as many pairs as g x g, and no more, are there.
std::int64_t side(const HaystackItems& pairs, std::int64_t length) {
  auto g = static_cast<std::int64_t>(std::sqrt(static_cast<double>(pairs.count(length))));
  return std::min(g, pairs.alphabet);
}

/// Keys are all g x g pairs of a first and a second half: each half alone leaves g values.
Dictionary draw_grid(const HaystackItems& pairs, Rng& rng, std::int64_t length) {
  const std::int64_t g = side(pairs, length), half = pairs.key_length / 2;
  const std::vector<Word> first = distinct_words(rng, g, pairs.alphabet, half);
  const std::vector<Word> second = distinct_words(rng, g, pairs.alphabet, pairs.key_length - half);
  Dictionary drawn;
  for (const std::size_t cell : draw_questions(rng, g * g, g * g)) {
    drawn.keys.push_back(first[cell / static_cast<std::size_t>(g)] +
                         second[cell % static_cast<std::size_t>(g)]);
    drawn.values.push_back(random_word(rng, pairs.alphabet, pairs.value_length));
  }
  return drawn;
}

}  // namespace

TaskEntry compositional_recall() {
  std::vector<ParameterSpec> parameters = recall_parameters();
  std::erase_if(parameters,
                [](const ParameterSpec& parameter) { return parameter.name == "crowded"; });
  for (ParameterSpec& parameter : parameters)
    if (parameter.name == "key_length") parameter.minimum = 2;
  return {
      {.name = "compositional-recall",
       .summary = "recall where only both halves of a key find its value: all g x g keys are told",
       .source = "after Zoology, Arora et al. 2023, arXiv 2312.04927",
       .parameters = std::move(parameters)},
      [](const Arguments& arguments) {
        return make_recall({.task = "compositional-recall",
                            .draw = [](const HaystackItems& pairs, Rng& rng, std::int64_t length,
                                       Purpose) { return draw_grid(pairs, rng, length); },
                            .count =
                                [](const HaystackItems& pairs, std::int64_t length) {
                                  return side(pairs, length) * side(pairs, length);
                                }},
                           arguments);
      }};
}

}  // namespace attnspan::tasks
