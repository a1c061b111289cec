// What is typed: numbers, ranges, task lists, shards, and the value of every flag of a sweep. The
// first byte picks the flag.
#include <string>

#include "attention/variant.hpp"
#include "core/names.hpp"
#include "fuzz/fuzz.hpp"
#include "sweep/cell.hpp"
#include "sweep/ranges.hpp"
#include "sweep/spec.hpp"
#include "task/task.hpp"

using namespace attnspan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string typed(fuzz::text(data + 1, size - 1));
  const auto& keys = setting_keys();
  const SettingKey& key = keys[data[0] % keys.size()];
  fuzz::allow_refusal([&] {
    const Json flags{{"task", "copy"}, {key.name, flag_to_json(key, {typed})}};
    const Json resolved = to_json(resolve_spec(Json::object(), flags));
    fuzz::require(to_json(resolve_spec(resolved, Json::object())) == resolved,
                  "a resolved spec means itself");
  });
  fuzz::allow_refusal([&] {
    const std::size_t count = parse_numbers(typed, "numbers").size();
    fuzz::require(count > 0 && count <= 1000, "1 to 1000 numbers");
  });
  fuzz::allow_refusal([&] {
    const Shard shard = parse_shard(typed);
    fuzz::require(shard.index >= 1 && shard.index <= shard.count, "a shard is one of its number");
  });
  fuzz::allow_refusal([&] { parse_integer(typed, "number"); });
  fuzz::allow_refusal([&] {
    const double number = parse_number(typed, "number");
    fuzz::require(parse_number(shortest(number), "number") == number, "the shortest text is exact");
  });
  fuzz::allow_refusal([&] {
    const AttentionVariant variant = attention_variant(typed);
    fuzz::require(attention_variant(variant.name).name == variant.name, "a name names itself");
  });
  fuzz::allow_refusal([&] {
    for (const std::string& one : split_tasks(typed)) {
      const NamedTask task = make_task(one);
      fuzz::require(make_task(task.resolved).label == task.label, "a resolved task means itself");
    }
  });
  return 0;
}
