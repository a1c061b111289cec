#include "task/text_bytes.hpp"

#include "task/text_source.hpp"

namespace attnspan {

std::string byte_name(Token byte) {
  if (byte > ' ' && byte < 127) return {static_cast<char>(byte)};
  constexpr const char* digits = "0123456789abcdef";
  return {'0', 'x', digits[byte / 16 % 16], digits[byte % 16]};
}

ParameterSpec text_parameter() {
  return {.name = "file",
          .help =
              "the text: a file, a folder with all its files, or bible-kjv, the Bible of the "
              "Debian package of this name",
          .default_value = std::string(packaged_text),
          .kind = ParameterSpec::Kind::path};
}

}  // namespace attnspan
