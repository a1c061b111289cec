#pragma once

/// Elementary functions of our own. Those of the C library differ in their last digit between
/// processors and versions, and a result may not; these are made of + - * / and square roots, which
/// IEEE 754 fixes to the last bit. Errors are in units in the last place of the true value.
/// Within a parallel loop what is subnormal is 0.
namespace attnspan::math {

double exp(double x);            ///< within 1; 0 below -745.1, infinite above 709.8
double exp2(double x);           ///< within 1; exact for whole numbers
double expm1(double x);          ///< exp(x) - 1, within 2, near 0 too
double log(double x);            ///< within 1; -infinity at 0, not a number below
double log1p(double x);          ///< log(1 + x), within 2, near 0 too
double pow(double x, double y);  ///< within 1 where the result is normal; x >= 0, else not a number
double tanh(double x);           ///< within 3
double sin(double x);            ///< within 1; |x| below 2^31, else not a number
double cos(double x);            ///< likewise

/// The same, worked out in double and rounded once.
inline float exp(float x) { return static_cast<float>(exp(static_cast<double>(x))); }
inline float log(float x) { return static_cast<float>(log(static_cast<double>(x))); }
inline float log1p(float x) { return static_cast<float>(log1p(static_cast<double>(x))); }
inline float tanh(float x) { return static_cast<float>(tanh(static_cast<double>(x))); }
inline float pow(float x, float y) {
  return static_cast<float>(pow(static_cast<double>(x), static_cast<double>(y)));
}

}  // namespace attnspan::math
