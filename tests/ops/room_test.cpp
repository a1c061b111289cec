#include "ops/room.hpp"

#include <cstdint>

#include "support/catch.hpp"

using namespace attnspan;

namespace {

template <class T>
bool lies_at(const T* memory, std::uintptr_t multiple) {
  return reinterpret_cast<std::uintptr_t>(memory) % multiple == 0;
}

}  // namespace

TEST_CASE("a room keeps its memory until it has to grow", "[unit]") {
  Room<float> room;
  float* memory = room.take(100);
  memory[0] = 1;
  memory[99] = 2;
  CHECK(room.take(10) == memory);
  CHECK(room.take(0) == memory);
  CHECK(room.take(100) == memory);
  CHECK(memory[0] == 1);
  CHECK(memory[99] == 2);
  float* more = room.take(100'000);
  more[99'999] = 3;  // the sanitizers' build sees whether it is there
  CHECK(room.take(100'000) == more);
}

TEST_CASE("a room is aligned for vectors, a large one for large pages", "[unit]") {
  constexpr std::size_t large_page = std::size_t{1} << 21;
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    Room<double> room;
    CHECK(lies_at(room.take(count), 64));
  }
  Room<float> room;
  room.take(1);
  for (const std::size_t bytes : {4 * large_page, 4 * large_page + 4, 5 * large_page - 4}) {
    float* memory = room.take(bytes / sizeof(float));
    CHECK(lies_at(memory, large_page));
    memory[0] = memory[bytes / sizeof(float) - 1] = 1;
  }
}

TEST_CASE("a matrix in a room has no gaps between its rows", "[unit]") {
  Room<std::int32_t> room;
  const auto matrix = reserve(room, 5, 7);
  CHECK(matrix.data == room.take(35));
  CHECK(matrix.rows == 5);
  CHECK(matrix.cols == 7);
  CHECK(matrix.stride == 7);
  CHECK(reserve(room, 7, 5).data == matrix.data);
}
