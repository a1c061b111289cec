#include "model/by_layer.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/names.hpp"

namespace attnspan {
namespace {

/// One entry: a name, or several in brackets that stand so many times.
struct Entry {
  std::vector<std::string> names;
  std::int64_t times = 1;
  bool group = false;
};

[[noreturn]] void refuse(const std::string& what, const std::string& text) {
  throw InputError(what + " '" + text.substr(0, 80) +
                   "' is not of a form that differs by layer; write a~b for a first layer and the "
                   "others, (a~b) for layers in turn, or 2x(a~b)~c.");
}

std::vector<Entry> parse(const std::string& what, const std::string& text) {
  std::vector<Entry> entries;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = text.find_first_of("~()", at);
    Entry entry;
    const std::string word = text.substr(at, end == std::string::npos ? end : end - at);
    if (end != std::string::npos && text[end] == '(') {
      entry.group = true;
      if (!word.empty()) {
        if (word.size() > 4 || word.back() != 'x' ||
            word.find_first_not_of("0123456789") != word.size() - 1)
          refuse(what, text);
        entry.times = parse_integer(word.substr(0, word.size() - 1), what);
      }
      const std::size_t close = text.find(')', end);
      if (close == std::string::npos || entry.times < 1) refuse(what, text);
      entry.names = split(text.substr(end + 1, close - end - 1), '~');
      at = close + 1;
    } else {
      entry.names = {word};
      at = end;
    }
    for (const std::string& name : entry.names)
      if (name.find_first_of("()") != std::string::npos || (name.empty() && text != name))
        refuse(what, text);
    entries.push_back(std::move(entry));
    if (at == std::string::npos || at == text.size()) return entries;
    if (text[at] != '~') refuse(what, text);
    ++at;
  }
}

}  // namespace

std::vector<std::string> by_layer(const std::string& what, const std::string& text,
                                  std::int64_t layers) {
  const std::vector<Entry> entries = parse(what, text);
  std::vector<std::string> names;
  for (const Entry& entry : entries)
    for (std::int64_t time = 0; time < entry.times; ++time)
      names.insert(names.end(), entry.names.begin(), entry.names.end());
  const Entry& last = entries.back();
  // A group that goes on may be cut short.
  const auto named = static_cast<std::int64_t>(names.size());
  const std::int64_t needed = last.group && last.times == 1
                                  ? named - static_cast<std::int64_t>(last.names.size()) + 1
                                  : named;
  if (needed > layers)
    throw InputError(what + " '" + text.substr(0, 80) + "' names " + std::to_string(named) +
                     " layers, but the model has " + std::to_string(layers) +
                     "; name fewer or raise layers.");
  while (static_cast<std::int64_t>(names.size()) < layers)
    names.insert(names.end(), last.names.begin(), last.names.end());
  names.resize(static_cast<std::size_t>(layers));
  return names;
}

std::string with_names(const std::string& what, const std::string& text,
                       const std::function<std::string(const std::string&)>& replace) {
  std::string result;
  for (const Entry& entry : parse(what, text)) {
    std::vector<std::string> names;
    for (const std::string& name : entry.names) names.push_back(replace(name));
    if (!result.empty()) result += '~';
    if (entry.times > 1) result += std::to_string(entry.times) + "x";
    result += entry.group ? "(" + join(names, "~") + ")" : names[0];
  }
  return result;
}

}  // namespace attnspan
