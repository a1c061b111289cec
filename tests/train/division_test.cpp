#include "train/division.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("every sample of a batch is in one unit, and units are alike", "[unit]") {
  for (const Index batch : {1, 2, 7, 16, 17, 48, 64, 100, 128, 1000})
    for (const Index rows : {1, 5, 28, 111, 256, 257, 5000}) {
      INFO(batch << " samples of " << rows << " rows");
      const BatchDivision division(batch, rows);
      CHECK(division.begin(0) == 0);
      CHECK(division.begin(division.units) == batch);
      Index most = 0, least = batch;
      for (Index unit = 0; unit < division.units; ++unit) {
        const Index samples = division.begin(unit + 1) - division.begin(unit);
        most = std::max(most, samples);
        least = std::min(least, samples);
      }
      CHECK(least >= 1);
      CHECK(most - least <= 1);
      CHECK(division.micro_batch <= most);
      CHECK((division.micro_batch == 1 || division.micro_batch * rows <= 256));
    }
}

TEST_CASE("a batch has work for sixteen threads, and for more where it is large", "[unit]") {
  CHECK(BatchDivision(64, 28).units == 16);   // 4 samples, 112 rows
  CHECK(BatchDivision(64, 64).units == 16);   // 256 rows
  CHECK(BatchDivision(64, 111).units == 32);  // 222 rows
  CHECK(BatchDivision(64, 1000).units == 64);
  CHECK(BatchDivision(128, 111).units == 64);
  CHECK(BatchDivision(1024, 111).units == 64);
  CHECK(BatchDivision(8, 1000).units == 8);
}

TEST_CASE("units are taken in pairs where no thread gets more of them", "[unit]") {
  const BatchDivision division(64, 111);
  REQUIRE(division.units == 32);
  CHECK(division.block_size(8) == 2);
  CHECK(division.block_size(12) == 1);  // 16 pairs are two rounds, four units; one by one three
  CHECK(division.block_size(16) == 2);
  CHECK(division.block_size(32) == 1);
  CHECK(division.block_size(2) == 4);
}

TEST_CASE("a block of units is a subtree, and every thread has some", "[unit]") {
  for (const Index batch : {1, 5, 16, 64, 100})
    for (const int threads : {1, 2, 3, 8, 16, 64, 100}) {
      INFO(batch << " samples on " << threads << " threads");
      const BatchDivision division(batch, 111);
      const Index size = division.block_size(threads);
      CHECK((size & (size - 1)) == 0);
      const Index blocks = (division.units + size - 1) / size;
      CHECK(blocks >= std::min<Index>(threads, division.units));
      CHECK(division.gradients(threads) >= blocks);
    }
}
