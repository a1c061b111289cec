#include "task/task.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {

void check_length_range(std::string_view task, std::int64_t length) {
  if (length < 1 || length > longest_length)
    throw InputError(std::string(task) + ": length must be between 1 and " +
                     std::to_string(longest_length) + ", not " + std::to_string(length) + ".");
}

NamedTask make_task(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto catalog = task_catalog();
  const auto entry = std::find_if(catalog.begin(), catalog.end(),
                                  [&](const TaskEntry& each) { return each.name == name; });
  if (entry == catalog.end()) {
    std::vector<std::string> names;
    for (const TaskEntry& each : catalog) names.push_back(each.name);
    unknown_name("task", name, names);
  }
  const bool has_parameters = colon != std::string_view::npos;
  if (has_parameters && colon + 1 == text.size())
    throw InputError(entry->name + ": parameters must follow the ':', as name=value.");
  const Arguments arguments(entry->name, has_parameters ? text.substr(colon + 1) : "",
                            entry->parameters);
  const auto with_name = [&](const std::string& parameters) {
    return parameters.empty() ? entry->name : entry->name + ":" + parameters;
  };
  return {with_name(arguments.differing()), with_name(arguments.resolved()),
          entry->make(arguments)};
}

}  // namespace attnspan
