// Four neighbours at a time: one access of 16 bytes instead of four of 4, and four results that do not wait for each other. The
// names and their meaning are those of vec.h of CPUs (a mask is 0 or -1 in every lane); every lane is computed by the function
// for one element, so that results are the same bits.
//
// Full loads and stores are of places that are a multiple of four elements from the start of a buffer.
#pragma once
#include "math.h"
#include "random.h"
#include "team.h"

namespace kcc {
inline namespace KCC_LEVEL {

// ---- lane by lane

// The lanes of a vector whose neighbours have no common step. All are wanted.
template <class V, class Element>
KCC_INLINE V by_lane(int64_t, const Element& element) { return each_lane<V>(element); }

#define KCC_OF_LANES(V, name) KCC_INLINE V name(V x) { return each_lane<V>([&](int i) { return name(x[i]); }); }
#define KCC_OF_TWO(V, name) KCC_INLINE V name(V a, V b) { return each_lane<V>([&](int i) { return name(a[i], b[i]); }); }
#define KCC_OPERATOR(V, op) KCC_INLINE V operator op(V a, V b) { return each_lane<V>([&](int i) { return a[i] op b[i]; }); }
#define KCC_COMPARISON(V, op) KCC_INLINE vi operator op(V a, V b) { return each_lane<vi>([&](int i) { return -(int32_t)(a[i] op b[i]); }); }

KCC_OPERATOR(vf, +) KCC_OPERATOR(vf, -) KCC_OPERATOR(vf, *) KCC_OPERATOR(vi, &) KCC_OPERATOR(vi, |) KCC_OPERATOR(vi, +) KCC_OPERATOR(vi, *)
KCC_COMPARISON(vf, ==) KCC_COMPARISON(vf, !=) KCC_COMPARISON(vf, <) KCC_COMPARISON(vf, <=) KCC_COMPARISON(vf, >) KCC_COMPARISON(vf, >=)
KCC_COMPARISON(vi, ==) KCC_COMPARISON(vi, !=) KCC_COMPARISON(vi, <) KCC_COMPARISON(vi, <=) KCC_COMPARISON(vi, >) KCC_COMPARISON(vi, >=)

KCC_OF_LANES(vf, neg) KCC_OF_LANES(vf, abs) KCC_OF_LANES(vf, sign) KCC_OF_LANES(vf, floor) KCC_OF_LANES(vf, sqrt)
KCC_OF_LANES(vf, exp) KCC_OF_LANES(vf, expm1) KCC_OF_LANES(vf, log) KCC_OF_LANES(vf, log1p) KCC_OF_LANES(vf, tanh) KCC_OF_LANES(vf, sigmoid)
KCC_OF_LANES(vf, round_bf16) KCC_OF_LANES(vf, round_tf32)
KCC_OF_LANES(vi, neg) KCC_OF_LANES(vi, abs) KCC_OF_LANES(vi, sign)
KCC_OF_TWO(vf, max) KCC_OF_TWO(vf, min) KCC_OF_TWO(vf, div) KCC_OF_TWO(vf, div_nr) KCC_OF_TWO(vf, pow)
KCC_OF_TWO(vi, max) KCC_OF_TWO(vi, min) KCC_OF_TWO(vi, div) KCC_OF_TWO(vi, wrap_add) KCC_OF_TWO(vi, wrap_sub) KCC_OF_TWO(vi, wrap_mul)

#undef KCC_OF_LANES
#undef KCC_OF_TWO
#undef KCC_OPERATOR
#undef KCC_COMPARISON

// ---- single values, numbers of lanes, masks

KCC_INLINE vf bcast(float x) { return vf(x); }
KCC_INLINE vi bcast(int32_t x) { return vi(x); }
KCC_INLINE vi bcast(bool x) { return vi(-(int32_t)x); }
KCC_INLINE vi iota() { return vi(0, 1, 2, 3); }
KCC_INLINE vf to_float(vi x) { return each_lane<vf>([&](int i) { return to_float(x[i]); }); }
KCC_INLINE vi to_int(vf x) { return each_lane<vi>([&](int i) { return to_int(x[i]); }); }

KCC_INLINE vf select(vi mask, vf a, vf b) { return each_lane<vf>([&](int i) { return mask[i] ? a[i] : b[i]; }); }
KCC_INLINE vi select(vi mask, vi a, vi b) { return each_lane<vi>([&](int i) { return mask[i] ? a[i] : b[i]; }); }
KCC_INLINE vi mask_and(vi a, vi b) { return a & b; }
KCC_INLINE vi mask_or(vi a, vi b) { return a | b; }
KCC_INLINE vi mask_not(vi a) { return each_lane<vi>([&](int i) { return ~a[i]; }); }
KCC_INLINE vi mask_int(vi mask) { return mask & 1; }
KCC_INLINE vf mask_float(vi mask) { return select(mask, vf(1.f), vf(0.f)); }

// ---- memory

#ifdef __CUDACC__
KCC_INLINE vf load(const float* p) { const float4 x = *(const float4*)p; return vf(x.x, x.y, x.z, x.w); }
KCC_INLINE vi load(const int32_t* p) { const int4 x = *(const int4*)p; return vi(x.x, x.y, x.z, x.w); }
KCC_INLINE vf load_bf16(const uint16_t* p) {
  const uint2 x = *(const uint2*)p;  // two and two, the first in the lower half
  return vf(__uint_as_float(x.x << 16), __uint_as_float(x.x & 0xffff0000u), __uint_as_float(x.y << 16), __uint_as_float(x.y & 0xffff0000u));
}
KCC_INLINE vi load_u8(const uint8_t* p) { const uchar4 x = *(const uchar4*)p; return vi(x.x, x.y, x.z, x.w); }
// Said as one instruction: nvcc takes stores of float4 apart where their lanes are chosen by conditions.
KCC_INLINE void store(float* p, vf x) {
  asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)), "f"(x[0]), "f"(x[1]), "f"(x[2]), "f"(x[3]) : "memory");
}
KCC_INLINE void store(int32_t* p, vi x) {
  asm volatile("st.global.v4.s32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)), "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]) : "memory");
}
KCC_INLINE void store_bf16(uint16_t* p, vf x) {
  const uint32_t low = to_bf16(x[0]) | (uint32_t)to_bf16(x[1]) << 16, high = to_bf16(x[2]) | (uint32_t)to_bf16(x[3]) << 16;
  asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(p)), "r"(low), "r"(high) : "memory");
}
KCC_INLINE void store_u8(uint8_t* p, vi x) { *(uchar4*)p = make_uchar4((uint8_t)x[0], (uint8_t)x[1], (uint8_t)x[2], (uint8_t)x[3]); }
#else
// A GPU fails at other places.
template <class T>
KCC_INLINE T* by_fours(T* p) {
  if ((uintptr_t)p % (KCC_VW * sizeof(T))) host_fail("four elements are read or written at a place that is no multiple of four");
  return p;
}
KCC_INLINE vf load(const float* p) { by_fours(p); return vf(p[0], p[1], p[2], p[3]); }
KCC_INLINE vi load(const int32_t* p) { by_fours(p); return vi(p[0], p[1], p[2], p[3]); }
KCC_INLINE vf load_bf16(const uint16_t* p) { by_fours(p); return each_lane<vf>([&](int i) { return from_bf16(p[i]); }); }
KCC_INLINE vi load_u8(const uint8_t* p) { by_fours(p); return vi(p[0], p[1], p[2], p[3]); }
KCC_INLINE void store(float* p, vf x) { for (int i = 0; i < KCC_VW; i++) by_fours(p)[i] = x[i]; }
KCC_INLINE void store(int32_t* p, vi x) { for (int i = 0; i < KCC_VW; i++) by_fours(p)[i] = x[i]; }
KCC_INLINE void store_bf16(uint16_t* p, vf x) { for (int i = 0; i < KCC_VW; i++) by_fours(p)[i] = to_bf16(x[i]); }
KCC_INLINE void store_u8(uint8_t* p, vi x) { for (int i = 0; i < KCC_VW; i++) by_fours(p)[i] = (uint8_t)x[i]; }
#endif
KCC_INLINE vi load_bool(const uint8_t* p) { return load_u8(p) != vi(0); }
KCC_INLINE void store_bool(uint8_t* p, vi mask) { store_u8(p, mask & 1); }

// p + offset, which may lie outside of the buffer where nothing is loaded.
template <class T>
KCC_INLINE const T* anywhere(const T* p, int64_t offset) { return (const T*)((uintptr_t)p + (uintptr_t)offset * sizeof(T)); }
KCC_INLINE vf load_where(bool holds, const float* p, float otherwise) { return holds ? load(p) : vf(otherwise); }
KCC_INLINE vi load_where(bool holds, const int32_t* p, int32_t otherwise) { return holds ? load(p) : vi(otherwise); }

// The neighbours that begin at a place found at run time, `at * stride` beyond p; 0 where `at` is not in [0, extent).
KCC_INLINE vf lookup_row(const float* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load(p + at * stride) : vf(0.f); }
KCC_INLINE vi lookup_row(const int32_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load(p + at * stride) : vi(0); }
KCC_INLINE vi lookup_row_u8(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_u8(p + at * stride) : vi(0); }
KCC_INLINE vf lookup_row_bf16(const uint16_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_bf16(p + at * stride) : vf(0.f); }
KCC_INLINE vi lookup_row_bool(const uint8_t* p, int32_t at, int64_t stride, int64_t extent) { return inside(at, extent) ? load_bool(p + at * stride) : vi(0); }

// ---- all lanes to one: 0 with 2 and 1 with 3, then what these gave

template <class Op, class T>
KCC_INLINE T fold_lanes(Four<T> x) { return Op::of(Op::of(x[0], x[2]), Op::of(x[1], x[3])); }
template <class T> KCC_INLINE T hsum(Four<T> x) { return fold_lanes<Sum>(x); }
template <class T> KCC_INLINE T hprod(Four<T> x) { return fold_lanes<Product>(x); }
template <class T> KCC_INLINE T hmax(Four<T> x) { return fold_lanes<Max>(x); }
template <class T> KCC_INLINE T hmin(Four<T> x) { return fold_lanes<Min>(x); }

}  // namespace KCC_LEVEL
}  // namespace kcc
