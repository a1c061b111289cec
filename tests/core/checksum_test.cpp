#include "core/checksum.hpp"

#include <string>

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("crc32 is that of gzip and PNG", "[unit]") {
  CHECK(crc32("123456789") == 0xcbf43926u);  // the check value of the CRC catalogue
  CHECK(crc32("") == 0);
  CHECK(crc32(std::string("\0\0\0\0", 4)) == 0x2144df1cu);
}

TEST_CASE("names hash as in FNV's own test suite", "[unit]") {
  CHECK(name_hash("") == 0xcbf29ce484222325u);
  CHECK(name_hash("a") == 0xaf63dc4c8601ec8cu);
  CHECK(name_hash("foobar") == 0x85944171f73967e8u);
}
