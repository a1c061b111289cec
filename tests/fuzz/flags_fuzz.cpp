// What is typed. The first byte picks what is read: one of the flags of a sweep, or numbers, one
// number, a whole number, a shard, an attention variant or tasks.
#include <string>
#include <vector>

#include "attention/variant.hpp"
#include "core/names.hpp"
#include "fuzz/fuzz.hpp"
#include "sweep/cell.hpp"
#include "sweep/ranges.hpp"
#include "sweep/spec.hpp"
#include "task/task.hpp"

using namespace attnspan;

namespace {

void read_flag(const SettingKey& key, const std::string& typed) {
  const Json flags{{"task", "copy"}, {key.name, flag_to_json(key, {typed})}};
  const Json resolved = to_json(resolve_spec(Json::object(), flags));
  fuzz::require(
      to_json(fuzz::no_refusal([&] { return resolve_spec(resolved, Json::object()); })) == resolved,
      "a resolved spec means itself");
}

void read_numbers(const std::string& typed) {
  const std::vector<double> numbers = parse_numbers(typed, "numbers");
  fuzz::require(!numbers.empty() && numbers.size() <= 1000, "1 to 1000 numbers");
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(shortest(number));
  fuzz::require(
      fuzz::no_refusal([&] { return parse_numbers(join(texts, ","), "numbers"); }) == numbers,
      "numbers read back");
}

void read_tasks(const std::string& typed) {
  const std::vector<std::string> tasks = split_parts(typed);
  fuzz::require(join(tasks, ",") == typed, "the tasks are the whole text");
  for (const std::string& one : tasks)
    fuzz::allow_refusal([&] {
      const NamedTask task = make_task(one);
      fuzz::require(fuzz::no_refusal([&] { return make_task(task.resolved); }).label == task.label,
                    "a resolved task means itself");
      fuzz::require(
          fuzz::no_refusal([&] { return make_task(task.label); }).resolved == task.resolved,
          "a label is enough");
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string typed(fuzz::text(data + 1, size - 1));
  const auto& keys = setting_keys();
  fuzz::allow_refusal([&] {
    if (data[0] < keys.size()) return read_flag(keys[data[0]], typed);
    switch (data[0]) {
      case 'n':
        return read_numbers(typed);
      case '1': {
        const double number = parse_number(typed, "number");
        return fuzz::require(
            fuzz::no_refusal([&] { return parse_number(shortest(number), "number"); }) == number,
            "the shortest text is exact");
      }
      case 'i': {
        const long long number = parse_integer(typed, "number");
        return fuzz::require(fuzz::no_refusal([&] {
                               return parse_integer(std::to_string(number), "number");
                             }) == number,
                             "a whole number reads back");
      }
      case 's': {
        const Shard shard = parse_shard(typed);
        return fuzz::require(shard.index >= 1 && shard.index <= shard.count,
                             "a shard is one of its number");
      }
      case 'a': {
        const AttentionVariant variant = attention_variant(typed);
        return fuzz::require(
            fuzz::no_refusal([&] { return attention_variant(variant.name); }).name == variant.name,
            "a name names itself");
      }
      default:
        return read_tasks(typed);
    }
  });
  return 0;
}
