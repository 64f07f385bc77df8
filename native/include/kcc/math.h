// Elementary functions on vf, each with a scalar twin: one template, instantiated for both, so that the bits agree.
// All arithmetic that could be contracted is written as fma(). The bounds are against the exact result, in units in the
// last place, over all float32 arguments (pow: samples), for every level; test/native/math.test.ts holds us to them.
// NaN in, NaN out; infinities, zeros of both signs, denormal arguments and denormal results follow C99. The rounding
// mode must be to nearest, and denormals must not be flushed.
#pragma once
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

// ---- pieces that are faster on some levels

// x * 2^n for an integral n of magnitude below 250, rounded once.
KCC_INLINE float scale(float x, float n) {
#if KCC_VW == 16
  return _mm_cvtss_f32(_mm_scalef_ss(_mm_set_ss(x), _mm_set_ss(n)));
#else
  int32_t k = to_int(n), half = k >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((k - half + 127) << 23);
#endif
}
KCC_INLINE vf scale(vf x, vf n) {
#if KCC_VW == 16
  return (vf)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
  vi k = to_int(n), half = k >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((k - half + 127) << 23);
#endif
}

// Quotient by a 14-bit reciprocal and one correction, 0.6 ulp, where that is faster than dividing (three times, with
// 512-bit vectors); the level's own division elsewhere. Needs 2^-126 <= |b| <= 2^126 and finite a; b = 0 or infinite
// still gives C's result, other denominators and quotients near the denormals do not.
KCC_INLINE float div_nr(float a, float b) {
#if KCC_VW == 16
  float r = _mm_cvtss_f32(_mm_rcp14_ss(_mm_set_ss(b), _mm_set_ss(b))), q = a * r, e = fma(-b, q, a);
  return select(e == e, fma(e, r, q), q);
#else
  return a / b;
#endif
}
KCC_INLINE vf div_nr(vf a, vf b) {
#if KCC_VW == 16
  vf r = (vf)_mm512_rcp14_ps((__m512)b), q = a * r, e = fma(-b, q, a);
  return select(e == e, fma(e, r, q), q);
#else
  return a / b;
#endif
}
// Square root of x >= 0 in the same way: 0.6 ulp for 0, infinity and x >= 2^-120, and still 13 good bits below;
// negative x gives NaN.
KCC_INLINE float sqrt_nr(float x) {
#if KCC_VW == 16
  float r = _mm_cvtss_f32(_mm_rsqrt14_ss(_mm_set_ss(x), _mm_set_ss(x))), s = x * r, e = fma(-s, s, x);
  return select((x == 0.f) | (x == __builtin_inff()), x, fma(e, r * 0.5f, s));
#else
  return sqrt(x);
#endif
}
KCC_INLINE vf sqrt_nr(vf x) {
#if KCC_VW == 16
  vf r = (vf)_mm512_rsqrt14_ps((__m512)x), s = x * r, e = fma(-s, s, x);
  return select((x == 0.f) | (x == __builtin_inff()), x, fma(e, r * 0.5f, s));
#else
  return sqrt(x);
#endif
}

}  // namespace KCC_LEVEL
}  // namespace kcc

#include "math-core.h"

namespace kcc {
inline namespace KCC_LEVEL {

// e^x: 1.1 ulp.
KCC_INLINE vf exp(vf x) { return exp_of(x); }
KCC_INLINE float exp(float x) { return exp_of(x); }
// e^x - 1: 1.6 ulp.
KCC_INLINE vf expm1(vf x) { return expm1_of(x); }
KCC_INLINE float expm1(float x) { return expm1_of(x); }
// Natural logarithm: 0.9 ulp.
KCC_INLINE vf log(vf x) { return log_of(x); }
KCC_INLINE float log(float x) { return log_of(x); }
// log(1 + x): 1.6 ulp.
KCC_INLINE vf log1p(vf x) { return log1p_of(x); }
KCC_INLINE float log1p(float x) { return log1p_of(x); }
// Hyperbolic tangent: 1.6 ulp.
KCC_INLINE vf tanh(vf x) { return tanh_of(x); }
KCC_INLINE float tanh(float x) { return tanh_of(x); }
// 1 / (1 + e^-x), without overflow on either side: 2.5 ulp.
KCC_INLINE vf sigmoid(vf x) { return sigmoid_of(x); }
KCC_INLINE float sigmoid(float x) { return sigmoid_of(x); }

}  // namespace KCC_LEVEL
}  // namespace kcc

#include "pow.h"
