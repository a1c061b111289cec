#include "catalog/part.hpp"

#include <set>

#include "model/config.hpp"
#include "support/catch.hpp"
#include "support/names.hpp"
#include "task/task.hpp"

using namespace attnspan;

namespace {

std::string refusal(const std::string& text) {
  try {
    choose("encoding", position_catalog(), text, {"swan"});
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

/// Calls check(part) for everything in every catalog.
template <class Check>
void for_every_part(const Check& check) {
  for (const TaskEntry& entry : task_catalog()) check(entry);
  for (const NormalizerEntry& entry : normalizer_catalog()) check(entry);
  for (const ScalerEntry& entry : scaler_catalog()) check(entry);
  for (const PositionEntry& entry : position_catalog()) check(entry);
}

}  // namespace

TEST_CASE("a choice has one label for all spellings", "[unit]") {
  const auto chosen = [](const char* text) { return choose("e", position_catalog(), text); };
  CHECK(chosen("rope").label() == "rope");
  CHECK(chosen("rope").resolved() ==
        "rope:base=10000,scaling=none,factor=1,at=always,window=0,scaled=all,randomized=0");
  CHECK(chosen("rope").brief() == "rope:10000");
  CHECK(chosen("rope:1e4").label() == "rope");
  CHECK(chosen("rope:base=5e5").label() == "rope:base=500000");
  CHECK(chosen("rope:500000").label() == "rope:base=500000");
  CHECK(chosen("nope").resolved() == "nope");
  CHECK(chosen("nape:8,slopes=1:.5").label() == "nape:near=8,slopes=1:0.5");
}

TEST_CASE("a choice that does not exist is refused with the nearest", "[unit]") {
  CHECK(refusal("ropee:base=3").find("unknown encoding 'ropee'; did you mean 'rope'? Allowed: ") ==
        0);
  CHECK(refusal("swann").find("did you mean 'swan'?") != std::string::npos);
  CHECK(refusal("rope:") == "rope: parameters must follow the ':', as name=value.");
  CHECK(refusal("nope:3") == "nope takes no parameters, but got '3'.");
  CHECK(refusal("rope:base=1") == "rope: base must be between 2 and 1000000000000, not 1.");
}

TEST_CASE("every part says what it is, in one line, and every parameter what it does",
          "[property]") {
  for_every_part([](const Part& part) {
    INFO(part.name);
    CHECK_FALSE(part.name.empty());
    CHECK_FALSE(part.summary.empty());
    CHECK(part.summary.find('\n') == std::string::npos);
    std::set<std::string> names;
    for (const ParameterSpec& parameter : part.parameters) {
      INFO(parameter.name);
      CHECK_FALSE(parameter.help.empty());
      CHECK(names.insert(parameter.name).second);
      // One of ours must not read as the end of an argument or of a part.
      CHECK(parameter.name.find_first_of(",:=+~/ ") == std::string::npos);
      for (const std::string& choice : parameter.choices)
        CHECK(choice.find_first_of(",:=+~/ ") == std::string::npos);
    }
    CHECK_NOTHROW(Arguments(part.name, "", part.parameters));
  });
}

TEST_CASE("every alias is a variant of its own, known by that name", "[property]") {
  std::set<std::string> names;
  for_every_part([&](const Part& part) {
    for (const Alias& alias : part.aliases) {
      INFO(alias.name);
      CHECK(names.insert(alias.name).second);
      CHECK_FALSE(alias.summary.empty());
      if (alias.text.find('~') != std::string::npos) {  // of encodings, by layer
        CHECK(canonical_position(alias.text) == alias.name);
        CHECK(canonical_position(alias.name) == alias.name);
        continue;
      }
      CHECK(attention_variant(alias.text).name == alias.name);
      CHECK(attention_variant(alias.name).name == alias.name);
    }
  });
  CHECK(names.size() >= 3);
}
