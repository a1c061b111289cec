#include "task/task.hpp"

#include "core/error.hpp"
#include "support/catch.hpp"
#include "support/tokens.hpp"

using namespace attnspan;

namespace {

std::string refusal(const std::string& text) {
  try {
    make_task(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

}  // namespace

TEST_CASE("a task is named by what differs from its defaults", "[unit]") {
  CHECK(make_task("copy").label == "copy");
  CHECK(make_task("copy").resolved == "copy:draw=any,symbols=32,crowded=0");
  CHECK(make_task("copy:symbols=032").label == "copy");
  const NamedTask task = make_task("copy:symbols=8");
  CHECK(task.label == "copy:symbols=8");
  CHECK(task.resolved == "copy:draw=any,symbols=8,crowded=0");
  CHECK(make_task("copy:unique").label == "copy:draw=unique");
  CHECK(task.task->vocabulary_size() == 11);
}

TEST_CASE("every task is made again from its resolved name", "[property]") {
  for (const TaskEntry& entry : task_catalog()) {
    const NamedTask task = make_task(test_name(entry));
    CHECK(make_task(task.resolved).label == test_name(entry));
    CHECK(make_task(task.resolved).resolved == task.resolved);
  }
}

TEST_CASE("bad task names are refused with what is allowed", "[unit]") {
  CHECK(refusal("recal").find("unknown task 'recal'; did you mean 'recall'? Allowed: ") == 0);
  CHECK(refusal("").find("unknown task ''") == 0);
  CHECK(refusal("Copy").find("did you mean 'copy'?") != std::string::npos);
  CHECK(refusal("copy:") == "copy: parameters must follow the ':', as name=value.");
  CHECK(refusal("copy:uniqe").find("did you mean 'unique'?") != std::string::npos);
  CHECK(refusal("copy:symbols=1") == "copy: symbols must be between 2 and 65536, not 1.");
}

TEST_CASE("a text of an earlier program gets the parameters that it lacks", "[unit]") {
  CHECK(resolve_task("copy:symbols=8") == make_task("copy:symbols=8").resolved);
  CHECK(resolve_task("copy:symbols=8,crowded=0.5") == "copy:draw=any,symbols=8,crowded=0.5");
  for (const std::string unknown :
       {"no-such-task:symbols=8", "copy:no-such=8", "file:folder,hash=1", ""})
    CHECK(resolve_task(unknown) == unknown);
}
