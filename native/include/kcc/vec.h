// Vectors of float and int32 in the widest registers of the CPU level this file is compiled for, and for every
// operation a scalar twin of the same name (scalar.h) that gives the same bits as one lane, so that tails, strided loops and any
// split of a loop between vector and scalar code give the same result.
//
//   vf                KCC_VW floats             scalar twin: float
//   vi                KCC_VW int32s             scalar twin: int32_t
//   vi as a mask      0 or -1 in every lane     scalar twin: bool
//
// + - * and comparisons are the language's own operators on all of them (a comparison of vectors gives a mask), and so
// are & | ^ ~ on vi. Combine masks with mask_and, mask_or and mask_not, which also take bool. The compiler may contract
// a * b + c to one rounding; where that matters for agreement, say fma(a, b, c).
//
// NaN rule, everywhere: max and min give NaN when either operand is NaN, and the second operand when the two are equal
// (only visible on zeros of different sign). Put a constant FIRST: max(zero, x) is then a single instruction.
//
// Loads and stores need no alignment. The partial forms take the number of lanes n, 0 <= n <= KCC_VW, never touch
// memory past lane n - 1, and load 0 into the others.
#pragma once
// GCC 12 takes the "undefined" pass-through operands in its own header for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#include <stdint.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define KCC_VW 16
#define KCC_LEVEL_DEFAULT level_avx512
#elif defined(__AVX2__)
#define KCC_VW 8
#define KCC_LEVEL_DEFAULT level_avx2
#elif defined(__SSE4_1__)
#define KCC_VW 4
#define KCC_LEVEL_DEFAULT level_sse
#else
#error "kcc needs SSE4.1 at least: compile with -march=x86-64-v2 or better"
#endif
// Several CPU levels are linked into one file: each has its own names.
#ifndef KCC_LEVEL
#define KCC_LEVEL KCC_LEVEL_DEFAULT
#endif
#define KCC_INLINE static inline __attribute__((always_inline))
#define KCC_MEMBER __attribute__((always_inline)) static inline

// The scalar twins.
#include "scalar.h"

namespace kcc {
inline namespace KCC_LEVEL {

typedef float vf __attribute__((vector_size(KCC_VW * 4)));
typedef int32_t vi __attribute__((vector_size(KCC_VW * 4)));
typedef uint32_t vu __attribute__((vector_size(KCC_VW * 4)));

// ---- making vectors

KCC_INLINE vf bcast(float x) { return x - vf{}; }
KCC_INLINE vi bcast(int32_t x) { return x - vi{}; }
KCC_INLINE vi bcast(bool x) { return bcast(-(int32_t)x); }
// A constant of the type of the first argument: like(x, 1.f) is 1.f or, here, a vector of ones.
KCC_INLINE vf like(vf, float x) { return bcast(x); }
KCC_INLINE vi like(vi, int32_t x) { return bcast(x); }
// Lane i holds i.
#if KCC_VW == 16
KCC_INLINE vi iota() { return vi{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
#elif KCC_VW == 8
KCC_INLINE vi iota() { return vi{0, 1, 2, 3, 4, 5, 6, 7}; }
#else
KCC_INLINE vi iota() { return vi{0, 1, 2, 3}; }
#endif
// The mask of the first n lanes.
KCC_INLINE vi first_lanes(int64_t n) { return iota() < bcast((int32_t)n); }

// ---- the same bits as another type

KCC_INLINE vi bits(vf x) { return (vi)x; }
KCC_INLINE vf from_bits(vi x) { return (vf)x; }
KCC_INLINE vi exponent_bits(vi e) { return e << 23; }

// ---- masks

KCC_INLINE vf select(vi mask, vf a, vf b) { return mask ? a : b; }
KCC_INLINE vi select(vi mask, vi a, vi b) { return mask ? a : b; }
KCC_INLINE vi mask_and(vi a, vi b) { return a & b; }
KCC_INLINE vi mask_or(vi a, vi b) { return a | b; }
KCC_INLINE vi mask_not(vi a) { return ~a; }
KCC_INLINE vi mask_int(vi mask) { return mask & 1; }
KCC_INLINE vf mask_float(vi mask) { return select(mask, bcast(1.f), vf{}); }

}  // namespace KCC_LEVEL
}  // namespace kcc

// Per width: load, store (full, partial, uint8, strided, with 16 lanes under a condition), max_raw, min_raw, sqrt, floor, rint, to_int, to_float
// and fma.
#if KCC_VW == 16
#include "vec-avx512.h"
#elif KCC_VW == 8
#include "vec-avx2.h"
#else
#include "vec-sse.h"
#endif

namespace kcc {
inline namespace KCC_LEVEL {

// ---- scalar twins of what the width's own file defines

KCC_INLINE float sqrt(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
KCC_INLINE float floor(float x) { return _mm_cvtss_f32(_mm_floor_ss(_mm_set_ss(x), _mm_set_ss(x))); }
KCC_INLINE float rint(float x) { return _mm_cvtss_f32(_mm_round_ss(_mm_set_ss(x), _mm_set_ss(x), 8)); }
// Truncates; NaN and values out of range give INT32_MIN.
KCC_INLINE int32_t to_int(float x) { return _mm_cvttss_si32(_mm_set_ss(x)); }
// One rounding where the level has FMA, two where it has not (x86-64-v2), in vector and twin alike.
KCC_INLINE float fma(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

// Single elements, for scalar loops that want the names of the vector ones.
KCC_INLINE float load1(const float* p) { return *p; }
KCC_INLINE int32_t load1(const int32_t* p) { return *p; }
KCC_INLINE int32_t load_u8_1(const uint8_t* p) { return *p; }
KCC_INLINE bool load_bool_1(const uint8_t* p) { return *p != 0; }
KCC_INLINE void store1(float* p, float x) { *p = x; }
KCC_INLINE void store1(int32_t* p, int32_t x) { *p = x; }
KCC_INLINE void store_u8_1(uint8_t* p, int32_t x) { *p = (uint8_t)x; }
KCC_INLINE void store_bool_1(uint8_t* p, bool x) { *p = (uint8_t)x; }

// ---- bool tensors: one byte per element, anything but 0 counts as true, 0 or 1 is written

KCC_INLINE vi load_bool(const uint8_t* p) { return load_u8(p) != 0; }
KCC_INLINE vi load_bool(const uint8_t* p, int64_t n) { return load_u8(p, n) != 0; }
KCC_INLINE void store_bool(uint8_t* p, vi mask) { store_u8(p, mask & 1); }
KCC_INLINE void store_bool(uint8_t* p, vi mask, int64_t n) { store_u8(p, mask & 1, n); }

// ---- floats with fewer digits: what each function gives is said in scalar.h

typedef uint16_t vh __attribute__((vector_size(KCC_VW * 2)));
KCC_INLINE vf widened(vh x) { return from_bits((vi)(__builtin_convertvector(x, vu) << 16)); }
KCC_INLINE vh upper_halves(vf x) { return __builtin_convertvector((vu)bits(x) >> 16, vh); }
KCC_INLINE vf load_bf16(const uint16_t* p) { vh x; __builtin_memcpy(&x, p, sizeof x); return widened(x); }
KCC_INLINE vf load_bf16(const uint16_t* p, int64_t n) { vh x{}; for (int64_t i = 0; i < n; i++) x[i] = p[i]; return widened(x); }
KCC_INLINE void store_bf16(uint16_t* p, vf x) { const vh y = upper_halves(x); __builtin_memcpy(p, &y, sizeof y); }
KCC_INLINE void store_bf16(uint16_t* p, vf x, int64_t n) { const vh y = upper_halves(x); for (int64_t i = 0; i < n; i++) p[i] = y[i]; }
KCC_INLINE vf gather_bf16(const uint16_t* p, int64_t stride, int64_t n) { vh x{}; for (int64_t i = 0; i < n; i++) x[i] = p[i * stride]; return widened(x); }
KCC_INLINE vf gather_bf16(const uint16_t* p, int64_t stride) { return gather_bf16(p, stride, KCC_VW); }
KCC_INLINE vf round_bf16(vf x) {
  const vu b = (vu)bits(x);
  return select(x != x, x, from_bits((vi)((b + 0x7fffu + (b >> 16 & 1u)) & 0xffff0000u)));
}
KCC_INLINE vf round_tf32(vf x) { return select(x != x, x, from_bits((vi)(((vu)bits(x) + 0x1000u) & 0xffffe000u))); }

// ---- memory wanted later

// A line that will be written: taken from the other caches now. Compilers leave out the instruction's purpose, so it is
// spelled out; every x86-64 has it or takes it for nothing.
KCC_INLINE void fetch_to_write(char* p) { __asm__ volatile("prefetchw %0" : : "m"(*p)); }

// Bytes ahead of what is written that lines are asked for: half as many and half more did as well where two streams are read.
constexpr uintptr_t write_ahead = 4096;

// Stores, and asks for the line that is written later unless it lies beyond the last one before `end`.
template <class T, class V> KCC_INLINE void store_ahead(T* p, V x, const T* end) {
  const uintptr_t later = (uintptr_t)p + write_ahead, last = (uintptr_t)end - 1;
  fetch_to_write((char*)(later < last ? later : last));
  store(p, x);
}

// ---- elements that are there only where a condition holds

// p + offset as a number: C++ has no pointers far outside of an array, even where nothing is read there.
template <class T>
KCC_INLINE const T* anywhere(const T* p, int64_t offset) { return (const T*)((uintptr_t)p + (uintptr_t)offset * sizeof(T)); }

// Lane i is p[i] where place at + i is in [0, extent), else `otherwise`; of the first n lanes.
template <class T>
KCC_INLINE auto load_inside(const T* p, int64_t at, int64_t extent, T otherwise, int64_t n = KCC_VW) {
  const int64_t from = at < 0 ? -at : 0, to = extent - at < n ? extent - at : n;
  return load_between(p, from < KCC_VW ? from : KCC_VW, to > 0 ? to : 0, bcast(otherwise));
}

#if KCC_VW != 16
KCC_INLINE vf load_where(bool holds, const float* p, float otherwise) { return holds ? load(p) : bcast(otherwise); }
KCC_INLINE vi load_where(bool holds, const int32_t* p, int32_t otherwise) { return holds ? load(p) : bcast(otherwise); }
KCC_INLINE vf load_where(bool holds, const float* p, float otherwise, int64_t n) { return holds ? load(p, n) : bcast(otherwise); }
KCC_INLINE vi load_where(bool holds, const int32_t* p, int32_t otherwise, int64_t n) { return holds ? load(p, n) : bcast(otherwise); }
#endif

// The first n lanes one by one, the others 0.
template <class V, class Element>
KCC_INLINE V by_lane(int64_t n, const Element& element) {
  V x{};
  for (int64_t i = 0; i < n; i++) x[i] = element(i);
  return x;
}

// ---- elements at a place found at run time: `at * stride` beyond p, 0 where `at` is not in [0, extent)

// The neighbours that begin there.
KCC_INLINE vf lookup_row(const float* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load(p + at * stride) : vf{}; }
KCC_INLINE vi lookup_row(const int32_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load(p + at * stride) : vi{}; }
KCC_INLINE vi lookup_row_u8(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_u8(p + at * stride) : vi{}; }
KCC_INLINE vi lookup_row_bool(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_bool(p + at * stride) : vi{}; }
KCC_INLINE vf lookup_row(const float* p, int32_t at, int64_t stride, int64_t extent, int64_t n) { return inside(at, extent) ? load(p + at * stride, n) : vf{}; }
KCC_INLINE vi lookup_row(const int32_t* p, int32_t at, int64_t stride, int64_t extent, int64_t n) { return inside(at, extent) ? load(p + at * stride, n) : vi{}; }
KCC_INLINE vi lookup_row_u8(const uint8_t* p, int32_t at, int64_t stride, int64_t extent, int64_t n) { return inside(at, extent) ? load_u8(p + at * stride, n) : vi{}; }
KCC_INLINE vi lookup_row_bool(const uint8_t* p, int32_t at, int64_t stride, int64_t extent, int64_t n) { return inside(at, extent) ? load_bool(p + at * stride, n) : vi{}; }

KCC_INLINE vf lookup_row_bf16(const uint16_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_bf16(p + at * stride) : vf{}; }
KCC_INLINE vf lookup_row_bf16(const uint16_t* p, int32_t at, int64_t stride, int64_t extent, int64_t n) { return inside(at, extent) ? load_bf16(p + at * stride, n) : vf{}; }

// One element for each of n lanes, lane i from `step * i` on.
template <class V, class T>
KCC_INLINE V lookup_each(const T* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n) {
  V x{};
  for (int64_t i = 0; i < n; i++) if (inside(at[i], extent)) x[i] = p[i * step + at[i] * stride];
  return x;
}
KCC_INLINE vf lookup_lanes(const float* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n = KCC_VW) { return lookup_each<vf>(p, step, at, stride, extent, n); }
KCC_INLINE vi lookup_lanes(const int32_t* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n = KCC_VW) { return lookup_each<vi>(p, step, at, stride, extent, n); }
KCC_INLINE vi lookup_lanes_u8(const uint8_t* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n = KCC_VW) { return lookup_each<vi>(p, step, at, stride, extent, n); }
KCC_INLINE vi lookup_lanes_bool(const uint8_t* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n = KCC_VW) { return lookup_lanes_u8(p, step, at, stride, extent, n) != 0; }

KCC_INLINE vf lookup_lanes_bf16(const uint16_t* p, int64_t step, vi at, int64_t stride, int64_t extent, int64_t n = KCC_VW) {
  vh x{};
  for (int64_t i = 0; i < n; i++) if (inside(at[i], extent)) x[i] = p[i * step + at[i] * stride];
  return widened(x);
}

// ---- strided bytes (no level gathers them)

KCC_INLINE vi gather_u8(const uint8_t* p, int64_t stride, int64_t n) {
  vi x{};
  for (int64_t i = 0; i < n; i++) x[i] = p[i * stride];
  return x;
}
KCC_INLINE vi gather_u8(const uint8_t* p, int64_t stride) { return gather_u8(p, stride, KCC_VW); }
KCC_INLINE vi gather_bool(const uint8_t* p, int64_t stride, int64_t n) { return gather_u8(p, stride, n) != 0; }
KCC_INLINE vi gather_bool(const uint8_t* p, int64_t stride) { return gather_u8(p, stride, KCC_VW) != 0; }
KCC_INLINE void scatter_u8(uint8_t* p, int64_t stride, vi x, int64_t n) { for (int64_t i = 0; i < n; i++) p[i * stride] = (uint8_t)x[i]; }
KCC_INLINE void scatter_u8(uint8_t* p, int64_t stride, vi x) { scatter_u8(p, stride, x, KCC_VW); }
KCC_INLINE void scatter_bool(uint8_t* p, int64_t stride, vi mask, int64_t n) { scatter_u8(p, stride, mask & 1, n); }
KCC_INLINE void scatter_bool(uint8_t* p, int64_t stride, vi mask) { scatter_u8(p, stride, mask & 1, KCC_VW); }

// ---- arithmetic: what each function gives is said in scalar.h

KCC_INLINE vi wrap_add(vi a, vi b) { return (vi)((vu)a + (vu)b); }
KCC_INLINE vi wrap_sub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
KCC_INLINE vi wrap_mul(vi a, vi b) { return (vi)((vu)a * (vu)b); }

KCC_INLINE vf max(vf a, vf b) { return select(a != a, a, max_raw(a, b)); }
KCC_INLINE vf min(vf a, vf b) { return select(a != a, a, min_raw(a, b)); }
KCC_INLINE vi max(vi a, vi b) { return select(a > b, a, b); }
KCC_INLINE vi min(vi a, vi b) { return select(a < b, a, b); }
KCC_INLINE vf relu(vf x) { return max_raw(vf{}, x); }

KCC_INLINE vf abs(vf x) { return from_bits(bits(x) & 0x7fffffff); }
KCC_INLINE vi abs(vi x) { vi s = x >> 31; return (vi)(((vu)x ^ (vu)s) - (vu)s); }
KCC_INLINE vf neg(vf x) { return -x; }
KCC_INLINE vi neg(vi x) { return (vi)(-(vu)x); }
KCC_INLINE vf copysign(vf x, vf s) { return from_bits((bits(x) & 0x7fffffff) | (bits(s) & (int32_t)0x80000000)); }
KCC_INLINE vf sign(vf x) { return select(x > 0.f, bcast(1.f), select(x < 0.f, bcast(-1.f), x)); }
KCC_INLINE vi sign(vi x) { return (x < 0) - (x > 0); }
KCC_INLINE vf div(vf a, vf b) { return a / b; }
KCC_INLINE vi div(vi a, vi b) {
  vi q{};
  for (int i = 0; i < KCC_VW; i++) q[i] = div((int32_t)a[i], (int32_t)b[i]);
  return q;
}

// ---- all lanes to one, always as the same tree: lane i with lane i + half, halving until one is left

// Lane i of the result is lane i ^ K.
template <int K, class V> KCC_INLINE V swap_lanes(V x) {
#if KCC_VW == 16
  return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K, 4 ^ K, 5 ^ K, 6 ^ K, 7 ^ K, 8 ^ K, 9 ^ K, 10 ^ K, 11 ^ K,
                                 12 ^ K, 13 ^ K, 14 ^ K, 15 ^ K);
#elif KCC_VW == 8
  return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K, 4 ^ K, 5 ^ K, 6 ^ K, 7 ^ K);
#else
  return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K);
#endif
}
struct Sum { template <class V> KCC_MEMBER V of(V a, V b) { return a + b; } };
struct Product { template <class V> KCC_MEMBER V of(V a, V b) { return a * b; } };
struct Max { template <class V> KCC_MEMBER V of(V a, V b) { return max(a, b); } };
struct Min { template <class V> KCC_MEMBER V of(V a, V b) { return min(a, b); } };
template <class Op, class V> KCC_INLINE V fold(V x) {
  if (KCC_VW >= 16) x = Op::of(x, swap_lanes<8 % KCC_VW>(x));
  if (KCC_VW >= 8) x = Op::of(x, swap_lanes<4 % KCC_VW>(x));
  x = Op::of(x, swap_lanes<2>(x));
  return Op::of(x, swap_lanes<1>(x));
}
KCC_INLINE float hsum(vf x) { return fold<Sum>(x)[0]; }
KCC_INLINE float hprod(vf x) { return fold<Product>(x)[0]; }
KCC_INLINE float hmax(vf x) { return fold<Max>(x)[0]; }
KCC_INLINE float hmin(vf x) { return fold<Min>(x)[0]; }
KCC_INLINE int32_t hsum(vi x) { return fold<Sum>(x)[0]; }
KCC_INLINE int32_t hprod(vi x) { return fold<Product>(x)[0]; }
KCC_INLINE int32_t hmax(vi x) { return fold<Max>(x)[0]; }
KCC_INLINE int32_t hmin(vi x) { return fold<Min>(x)[0]; }
KCC_INLINE float hsum(float x) { return x; }
KCC_INLINE float hprod(float x) { return x; }
KCC_INLINE float hmax(float x) { return x; }
KCC_INLINE float hmin(float x) { return x; }

}  // namespace KCC_LEVEL
}  // namespace kcc
