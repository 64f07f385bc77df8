// One element at a time: what expressions of kernels call, and what the vectors of vec.h are twins of. For CPU levels and
// for GPUs; where it is included, KCC_INLINE says how functions are declared, and sqrt, floor, rint, to_int and fma of a
// float, which are instructions, are defined beside it; so are, by nvcc, round_bf16 and round_tf32.
//
// NaN rule: max and min give NaN when either operand is NaN, and the second operand when the two are equal (only visible on
// zeros of different sign).
#pragma once
#include <stdint.h>

namespace kcc {
inline namespace KCC_LEVEL {

// A constant of the type of the first argument.
KCC_INLINE float like(float, float x) { return x; }
KCC_INLINE int32_t like(int32_t, int32_t x) { return x; }

// ---- the same bits as another type

KCC_INLINE int32_t bits(float x) { int32_t y; __builtin_memcpy(&y, &x, 4); return y; }
KCC_INLINE float from_bits(int32_t x) { float y; __builtin_memcpy(&y, &x, 4); return y; }

// ---- floats with fewer digits: in memory a bfloat16 is the upper half of a float, in registers both are floats

KCC_INLINE float from_bf16(uint16_t x) { return from_bits((int32_t)((uint32_t)x << 16)); }
// Of a float that is one.
KCC_INLINE uint16_t to_bf16(float x) { return (uint16_t)((uint32_t)bits(x) >> 16); }

#ifndef __CUDACC__
// The nearest bfloat16, of two the even one; NaN stays NaN.
KCC_INLINE float round_bf16(float x) {
  const uint32_t b = (uint32_t)bits(x);
  return x != x ? x : from_bits((int32_t)((b + 0x7fffu + (b >> 16 & 1u)) & 0xffff0000u));
}
// The nearest of NVIDIA's TF32, of two the one of larger magnitude; NaN stays NaN.
KCC_INLINE float round_tf32(float x) { return x != x ? x : from_bits((int32_t)(((uint32_t)bits(x) + 0x1000u) & 0xffffe000u)); }
#endif

// Where a float keeps its exponent; a negative one wraps around.
KCC_INLINE int32_t exponent_bits(int32_t e) { return (int32_t)((uint32_t)e << 23); }

// ---- conditions

KCC_INLINE float select(bool mask, float a, float b) { return mask ? a : b; }
KCC_INLINE int32_t select(bool mask, int32_t a, int32_t b) { return mask ? a : b; }
KCC_INLINE bool select(bool mask, bool a, bool b) { return mask ? a : b; }
KCC_INLINE bool mask_and(bool a, bool b) { return a & b; }
KCC_INLINE bool mask_or(bool a, bool b) { return a | b; }
KCC_INLINE bool mask_not(bool a) { return !a; }
// 1 where the condition holds, else 0.
KCC_INLINE int32_t mask_int(bool mask) { return (int32_t)mask; }
KCC_INLINE float mask_float(bool mask) { return mask ? 1.f : 0.f; }

// ---- elements that are there only where a condition holds

KCC_INLINE bool is_inside(int64_t at, int64_t extent) { return (uint64_t)at < (uint64_t)extent; }

// The element at a place found at run time, `at * stride` beyond p; 0 where `at` is not in [0, extent).
KCC_INLINE bool inside(int32_t at, int64_t extent) { return at >= 0 && at < extent; }
template <class T>
KCC_INLINE T lookup(const T* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? p[at * stride] : T(0); }
KCC_INLINE int32_t lookup_u8(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return lookup(p, at, stride, extent); }
KCC_INLINE float lookup_bf16(const uint16_t* p, int32_t at, int64_t stride, int64_t extent) { return from_bf16(lookup(p, at, stride, extent)); }
KCC_INLINE bool lookup_bool(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return lookup(p, at, stride, extent) != 0; }

// ---- arithmetic

// int32 that wraps around.
KCC_INLINE int32_t wrap_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
KCC_INLINE int32_t wrap_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
KCC_INLINE int32_t wrap_mul(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

KCC_INLINE float to_float(int32_t x) { return (float)x; }
// The machine's maxps: the second operand when either is NaN or both are equal.
KCC_INLINE float max_raw(float a, float b) { return a > b ? a : b; }
KCC_INLINE float min_raw(float a, float b) { return a < b ? a : b; }
KCC_INLINE float max(float a, float b) { return select(a != a, a, max_raw(a, b)); }
KCC_INLINE float min(float a, float b) { return select(a != a, a, min_raw(a, b)); }
KCC_INLINE int32_t max(int32_t a, int32_t b) { return a > b ? a : b; }
KCC_INLINE int32_t min(int32_t a, int32_t b) { return a < b ? a : b; }
// NaN stays NaN; -0 stays -0.
KCC_INLINE float relu(float x) { return max_raw(0.f, x); }

KCC_INLINE float abs(float x) { return from_bits(bits(x) & 0x7fffffff); }
// |INT32_MIN| is INT32_MIN.
KCC_INLINE int32_t abs(int32_t x) { uint32_t s = (uint32_t)(x >> 31); return (int32_t)(((uint32_t)x ^ s) - s); }
KCC_INLINE float neg(float x) { return -x; }
KCC_INLINE int32_t neg(int32_t x) { return (int32_t)(0u - (uint32_t)x); }
// The magnitude of x with the sign of s.
KCC_INLINE float copysign(float x, float s) { return from_bits((bits(x) & 0x7fffffff) | (bits(s) & (int32_t)0x80000000)); }
// -1, 0 or 1; NaN and zeros are returned as they are.
KCC_INLINE float sign(float x) { return x > 0.f ? 1.f : x < 0.f ? -1.f : x; }
KCC_INLINE int32_t sign(int32_t x) { return (x > 0) - (x < 0); }
KCC_INLINE float div(float a, float b) { return a / b; }
// Truncates, as C; never traps: x / 0 is 0 and INT32_MIN / -1 is INT32_MIN.
KCC_INLINE int32_t div(int32_t a, int32_t b) { return b == 0 ? 0 : b == -1 ? neg(a) : a / b; }

}  // namespace KCC_LEVEL
}  // namespace kcc
