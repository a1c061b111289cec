#include "core/checksum.hpp"

#include <string>

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("crc32 is that of gzip and PNG", "[unit]") {
  CHECK(crc32("123456789") == 0xcbf43926u);  // the check value of the CRC catalogue
  CHECK(crc32("") == 0);
  CHECK(crc32(std::string("\0\0\0\0", 4)) == 0x2144df1cu);
}
