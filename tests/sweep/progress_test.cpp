#include "sweep/progress.hpp"

#include "support/catch.hpp"

using namespace attnspan;

TEST_CASE("progress weighs cells and their parts by expected time", "[unit]") {
  Progress progress({{10, 30}, {50, 10}});
  CHECK(progress.fraction() == 0);
  CellProgress cell;
  cell.trained = 0.5;
  progress.at(0, cell);
  CHECK(progress.fraction() == Approx(0.05));
  cell.trained = 1;
  cell.test_length = 16;
  cell.evaluated = 0.5;
  progress.at(0, cell);
  CHECK(progress.fraction() == Approx(0.25));
  progress.at(1, {10, 0.1, 0, 0.2, 0});  // beside it
  CHECK(progress.fraction() == Approx(0.35));
  progress.finish(0);
  CHECK(progress.fraction() == Approx(0.5));
  progress.at(1, {100, 0.1, 16, 1, 1});
  CHECK(progress.fraction() == Approx(1));
  CHECK(progress.seconds_left(100) == 0);
}

TEST_CASE("the time left learns from the time taken", "[unit]") {
  Progress progress({{500, 0}, {500, 0}});
  CHECK(progress.seconds_left(0) == Approx(1000));
  progress.finish(0);
  CHECK(progress.seconds_left(500) == Approx(500));
  CHECK(progress.seconds_left(1000) == Approx(1000).epsilon(0.02));
  CHECK(progress.seconds_left(250) == Approx(250).epsilon(0.02));
}

TEST_CASE("nothing to do is done", "[unit]") {
  const Progress progress({});
  CHECK(progress.fraction() == 1);
  CHECK(progress.seconds_left(3) == 0);
}
