#include <numeric>

#include "task/recall.hpp"

namespace attnspan::tasks {
namespace {

/// Some of the pairs tell the key of another one again, with a value of its own: after all first
/// tellings, or anywhere after that of their key. The last value told holds.
Dictionary tell_again(const HaystackItems& pairs, Rng& rng, std::int64_t length, Purpose purpose,
                      double again, bool mixed) {
  Dictionary drawn = pairs.draw(rng, length, purpose);
  const std::size_t all = drawn.keys.size();
  const auto repeats = static_cast<std::size_t>(again * static_cast<double>(all));
  const std::size_t first = all - repeats;
  const std::vector<std::size_t> told =
      draw_questions(rng, static_cast<std::int64_t>(first), static_cast<std::int64_t>(repeats));
  for (std::size_t i = 0; i < repeats; ++i) drawn.keys[first + i] = drawn.keys[told[i]];
  if (!mixed) return drawn;
  // A key that comes twice stands in both places whatever the order: its later value just holds.
  const std::vector<std::size_t> order =
      draw_questions(rng, static_cast<std::int64_t>(all), static_cast<std::int64_t>(all));
  Dictionary shuffled;
  for (const std::size_t pair : order) {
    shuffled.keys.push_back(drawn.keys[pair]);
    shuffled.values.push_back(drawn.values[pair]);
  }
  return shuffled;
}

}  // namespace

TaskEntry forgetting_recall() {
  using Kind = ParameterSpec::Kind;
  std::vector<ParameterSpec> parameters = recall_parameters();
  parameters.insert(
      parameters.end(),
      {{.name = "again",
        .help = "share of the pairs that tell a key again, with another value",
        .default_value = "0.25",
        .kind = Kind::number,
        .minimum = 0,
        .maximum = 0.5},
       {.name = "order",
        .help = "after: keys are told again after all first tellings; mixed: in between",
        .default_value = "after",
        .kind = Kind::choice,
        .choices = {"after", "mixed"}}});
  return {{.name = "forgetting-recall",
           .summary = "recall where a key may be told again and its last value holds",
           .source = "after Zoology, Arora et al. 2023, arXiv 2312.04927",
           .parameters = std::move(parameters)},
          [](const Arguments& arguments) {
            const double again = arguments.number("again");
            const bool mixed = arguments.text("order") == "mixed";
            return make_recall({.task = "forgetting-recall",
                                .draw =
                                    [=](const HaystackItems& pairs, Rng& rng, std::int64_t length,
                                        Purpose purpose) {
                                      return tell_again(pairs, rng, length, purpose, again, mixed);
                                    },
                                .tells_again = true},
                               arguments);
          }};
}

}  // namespace attnspan::tasks
