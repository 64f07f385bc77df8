// Expressions of kernels, one element at a time: the names, the polynomials and the order of every operation are those of CPU
// levels, so that results are the same bits but where a compiler contracts a * b + c.
#pragma once
#include "../sizes.h"
#include "platform.h"
#include "../scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

// ---- instructions of the machine, correctly rounded

#ifdef __CUDACC__
KCC_INLINE float sqrt(float x) { return __fsqrt_rn(x); }
KCC_INLINE float floor(float x) { return ::floorf(x); }
KCC_INLINE float rint(float x) { return ::rintf(x); }
KCC_INLINE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
KCC_INLINE float round_bf16(float x) {
  uint32_t upper;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(upper) : "f"(x), "f"(0.f));
  return __uint_as_float(upper & 0xffff0000u);
}
KCC_INLINE float round_tf32(float x) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
  return __uint_as_float(rounded);
}
#else
KCC_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
KCC_INLINE float floor(float x) { return __builtin_floorf(x); }
KCC_INLINE float rint(float x) { return __builtin_rintf(x); }
KCC_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#endif

// Truncates; NaN and values out of range give INT32_MIN, as on CPUs.
KCC_INLINE int32_t to_int(float x) { return x >= -2147483648.f && x < 2147483648.f ? (int32_t)x : INT32_MIN; }

// x * 2^n for an integral n of magnitude below 250, rounded once.
KCC_INLINE float scale(float x, float n) {
  const int32_t k = to_int(n), half = k >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((k - half + 127) << 23);
}
KCC_INLINE float div_nr(float a, float b) { return a / b; }

}  // namespace KCC_LEVEL
}  // namespace kcc

#include "../math-core.h"
#include "../pow-core.h"

namespace kcc {
inline namespace KCC_LEVEL {

KCC_INLINE float exp(float x) { return exp_of(x); }
KCC_INLINE float expm1(float x) { return expm1_of(x); }
KCC_INLINE float log(float x) { return log_of(x); }
KCC_INLINE float log1p(float x) { return log1p_of(x); }
KCC_INLINE float tanh(float x) { return tanh_of(x); }
KCC_INLINE float sigmoid(float x) { return sigmoid_of(x); }
KCC_INLINE float pow(float x, float y) { return pow_of(x, y); }

}  // namespace KCC_LEVEL
}  // namespace kcc
