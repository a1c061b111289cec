#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace attnspan {

/// CRC-32 (IEEE 802.3, as in gzip and PNG): tells torn and damaged bytes from whole ones.
inline std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0xedb88320u : 0u);
      entries[i] = value;
    }
    return entries;
  }();
  std::uint32_t value = 0xffffffffu;
  for (const char byte : bytes)
    value = (value >> 8) ^ table[(value ^ static_cast<unsigned char>(byte)) & 0xffu];
  return value ^ 0xffffffffu;
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo): the same number for the same name in every build.
constexpr std::uint64_t name_hash(std::string_view name) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char byte : name) {
    value ^= static_cast<unsigned char>(byte);
    value *= 0x100000001b3u;
  }
  return value;
}

}  // namespace attnspan
