#include "sweep/ranges.hpp"

#include <string>
#include <vector>

#include "core/error.hpp"
#include "support/catch.hpp"

using namespace attnspan;

namespace {

std::vector<double> numbers(const std::string& text) { return parse_numbers(text, "--lengths"); }

std::string refusal(const std::string& text) {
  try {
    numbers(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("lists and ranges of numbers", "[unit]") {
  using Values = std::vector<double>;
  CHECK(numbers("5") == Values{5});
  CHECK(numbers("1,4,16") == Values{1, 4, 16});
  CHECK(numbers("16-64*2") == Values{16, 32, 64});
  CHECK(numbers("16-100*2") == Values{16, 32, 64});
  CHECK(numbers("1-5+2") == Values{1, 3, 5});
  CHECK(numbers("1-4+2") == Values{1, 3});
  CHECK(numbers("7-7+1") == Values{7});
  CHECK(numbers("0-0.3+0.1") == Values{0, 0.1, 0.2, 0.3});
  CHECK(numbers("1,4-16*2,64") == Values{1, 4, 8, 16, 64});
}

TEST_CASE("a range that ends at the largest double stays finite", "[unit]") {
  // Twice the step is within rounding of the end, and above it.
  CHECK(numbers("0-1.7976931348623157e308+8.98846567610e307").back() == 1.7976931348623157e308);
}

TEST_CASE("exponents and signs are not taken for ranges", "[unit]") {
  using Values = std::vector<double>;
  CHECK(numbers("1e-3,2e-3") == Values{1e-3, 2e-3});
  CHECK(numbers("1e-4-1e-2*10") == Values{1e-4, 1e-3, 1e-2});
  CHECK(numbers("1e+2-3e+2+1e+2") == Values{100, 200, 300});
  CHECK(numbers("-2--1+1") == Values{-2, -1});
  CHECK(numbers("-5") == Values{-5});
}

TEST_CASE("what is no list of numbers is refused in a sentence that names it", "[unit]") {
  for (const char* text : {"", ",", "1,", "x", "1-", "1-2-3", "1-5*", "1-5+", "1*2", "1-5*2x",
                           "nan", "inf", "1e999", "0x10", "1 2", "--", "1-5/2"}) {
    INFO(text);
    CHECK(refusal(text).find("--lengths takes numbers") == 0);
  }
  CHECK(refusal("1-5").find("needs a factor or a step, as in 1-5*2 or 1-5+1") != std::string::npos);
  CHECK(refusal("5-1+1").find("downwards") != std::string::npos);
  CHECK(refusal("1-5+0").find("step above 0") != std::string::npos);
  CHECK(refusal("1-5+-1").find("step above 0") != std::string::npos);
  CHECK(refusal("1-5*1").find("factor above 1") != std::string::npos);
  CHECK(refusal("0-5*2").find("first value above 0") != std::string::npos);
}

TEST_CASE("no range makes more than a thousand values", "[unit]") {
  CHECK(numbers("1-1000+1").size() == 1000);
  for (const char* text : {"1-1e18+1", "1-1001+1", "1-1e300*1.0000001", "0-1+1e-300",
                           "1e-300-1e300*1.0000000000000002", "1-1000+1,5"}) {
    INFO(text);
    CHECK(refusal(text).find("more than 1000 values") != std::string::npos);
  }
}
