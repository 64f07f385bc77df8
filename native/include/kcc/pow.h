// pow(x, y) for vf, with its scalar twin: 2^(y log2 x) in double precision, half a vector at a time. Included by math.h.
#pragma once
#include "vec.h"

namespace kcc {
inline namespace KCC_LEVEL {

typedef double vd __attribute__((vector_size(KCC_VW * 4)));    // KCC_VW / 2 lanes
typedef int64_t vl __attribute__((vector_size(KCC_VW * 4)));

KCC_INLINE vd like(vd, double x) { return x - vd{}; }
// As its scalar twin in pow-core.h.
KCC_INLINE vd add_exponent(vd p, vd shifted) { return (vd)((vl)p + ((vl)shifted << 52)); }

#if KCC_VW == 16
KCC_INLINE vd max_raw(vd a, vd b) { return (vd)_mm512_max_pd((__m512d)a, (__m512d)b); }
KCC_INLINE vd min_raw(vd a, vd b) { return (vd)_mm512_min_pd((__m512d)a, (__m512d)b); }
KCC_INLINE vd fma(vd a, vd b, vd c) { return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
KCC_INLINE vd widen_low(vf x) { return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x)); }
KCC_INLINE vd widen_high(vf x) { return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1)); }
KCC_INLINE vf narrow(vd low, vd high) {
  __m512 x = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low));
  return (vf)_mm512_insertf32x8(x, _mm512_cvtpd_ps((__m512d)high), 1);
}
#elif KCC_VW == 8
KCC_INLINE vd max_raw(vd a, vd b) { return (vd)_mm256_max_pd((__m256d)a, (__m256d)b); }
KCC_INLINE vd min_raw(vd a, vd b) { return (vd)_mm256_min_pd((__m256d)a, (__m256d)b); }
KCC_INLINE vd fma(vd a, vd b, vd c) {
#ifdef __FMA__
  return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}
KCC_INLINE vd widen_low(vf x) { return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)); }
KCC_INLINE vd widen_high(vf x) { return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1)); }
KCC_INLINE vf narrow(vd low, vd high) {
  __m256 x = _mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low));
  return (vf)_mm256_insertf128_ps(x, _mm256_cvtpd_ps((__m256d)high), 1);
}
#else
KCC_INLINE vd max_raw(vd a, vd b) { return (vd)_mm_max_pd((__m128d)a, (__m128d)b); }
KCC_INLINE vd min_raw(vd a, vd b) { return (vd)_mm_min_pd((__m128d)a, (__m128d)b); }
KCC_INLINE vd fma(vd a, vd b, vd c) { return a * b + c; }
KCC_INLINE vd widen_low(vf x) { return (vd)_mm_cvtps_pd((__m128)x); }
KCC_INLINE vd widen_high(vf x) { return (vd)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x)); }
KCC_INLINE vf narrow(vd low, vd high) { return (vf)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high)); }
#endif

KCC_INLINE vf pow_magnitude(vf m, vf k, vf y);

}  // namespace KCC_LEVEL
}  // namespace kcc

#include "pow-core.h"

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE vf pow_magnitude(vf m, vf k, vf y) {
  return narrow(pow_core(widen_low(m), widen_low(k), widen_low(y)), pow_core(widen_high(m), widen_high(k), widen_high(y)));
}

// pow, as C99's powf, special cases included: 0.51 ulp.
KCC_INLINE vf pow(vf x, vf y) { return pow_of(x, y); }
KCC_INLINE float pow(float x, float y) { return pow_of(x, y); }

}  // namespace KCC_LEVEL
}  // namespace kcc
