#include "record/json.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/error.hpp"

namespace attnspan {
namespace {

/// Reads a text and says how far it got: the parser itself reports a position only with its own
/// errors, not with the keys and brackets it hands over.
struct Cursor {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** reached = nullptr;

  reference operator*() const { return *at; }
  Cursor& operator++() {
    *reached = ++at;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) { return a.at == b.at; }
};

/// Takes the parser's events and builds the document, checking what the parser does not.
class Builder {
 public:
  Builder(std::string_view text, std::string_view origin, std::size_t keys_limit)
      : text_(text), origin_(origin), keys_limit_(keys_limit) {}

  // Names and signatures are the library's SAX interface.
  bool null() { return value(nullptr); }
  bool boolean(bool v) { return value(v); }
  bool number_integer(Json::number_integer_t v) { return value(v); }
  bool number_unsigned(Json::number_unsigned_t v) { return value(v); }
  bool number_float(Json::number_float_t v, const std::string&) { return value(v); }
  bool string(std::string& v) { return value(std::move(v)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    const auto& object = *open_.back();
    if (object.contains(name)) fail("the key " + to_line(name) + " is given twice");
    if (object.size() >= keys_limit_)
      fail("an object has more than " + std::to_string(keys_limit_) + " keys");
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string& last_token, const Json::exception& error) {
    if (error.id == 406) fail("the number " + last_token + " is too large");
    // The library's text after its own position: "syntax error while parsing value - ...".
    const std::string_view what = error.what();
    const std::size_t reason = what.find(": ");
    fail(std::string(reason == std::string_view::npos ? what : what.substr(reason + 2)));
  }

  const char** reached() { return &reached_; }
  Json take() { return std::move(document_); }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    const std::string_view seen(text_.data(), static_cast<std::size_t>(reached_ - text_.data()));
    const auto line = 1 + std::count(seen.begin(), seen.end(), '\n');
    const std::size_t line_start = seen.rfind('\n') + 1;  // npos + 1 is 0
    const std::size_t column = std::max<std::size_t>(1, seen.size() - line_start);
    throw InputError(std::string(origin_) + ", line " + std::to_string(line) + ", column " +
                     std::to_string(column) + ": " + reason.substr(0, 200));
  }

  bool value(Json v) {
    place(std::move(v));
    return true;
  }

  /// Pointers to open containers stay valid: a container does not grow while a child is open.
  Json* place(Json v) {
    if (open_.empty()) return &(document_ = std::move(v));
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(v));
    return &(parent[key_] = std::move(v));
  }

  bool open(Json container) {
    if (open_.size() >= json_depth_limit)
      fail("nested deeper than " + std::to_string(json_depth_limit) + " levels");
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view origin_;
  std::size_t keys_limit_;
  const char* reached_ = text_.data();
  Json document_;
  std::vector<Json*> open_;
  std::string key_;
};

/// Appends the text of a value that stands at this level.
void append(std::string& text, const Json& json, std::size_t level) {
  const bool is_flat =
      json.empty() || !json.is_structured() ||
      (json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& item) {
         return item.is_number() || item.is_null();
       }));
  if (is_flat && !json.is_array()) {
    text += to_line(json);
  } else if (is_flat) {
    text += '[';
    for (const Json& item : json) text += (&item == &json.front() ? "" : ", ") + to_line(item);
    text += ']';
  } else {
    const std::string indentation(2 * (level + 1), ' ');
    text += json.is_array() ? '[' : '{';
    bool is_first = true;
    for (const auto& item : json.items()) {
      text += (is_first ? "\n" : ",\n") + indentation;
      if (json.is_object()) text += to_line(Json(item.key())) + ": ";
      append(text, item.value(), level + 1);
      is_first = false;
    }
    text += '\n' + std::string(2 * level, ' ') + (json.is_array() ? ']' : '}');
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view origin, bool comments,
                std::size_t keys_limit) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw InputError(std::string(origin) + " is empty; a JSON text is expected");
  Builder builder(text, origin, keys_limit);
  Json::sax_parse(Cursor{text.data(), builder.reached()},
                  Cursor{text.data() + text.size(), builder.reached()}, &builder,
                  Json::input_format_t::json, true, comments);
  return builder.take();
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Json& json) {
  std::string text;
  append(text, json, 0);
  return text + '\n';
}

}  // namespace attnspan
